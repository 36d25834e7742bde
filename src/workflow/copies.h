#pragma once

#include <optional>

#include "eval/copies.h"
#include "hedge/log.h"
#include "routing/table_view.h"

namespace hedge::workflow {

/// Which of the table's images stand in the train or calibration split of their data set too, byte for byte, whatever limit the table or
/// the data set has. Nothing, and a line in the log, where it cannot be known: the table holds no hashes (older than 0.3), its data set
/// cannot be opened, it was imported, it has no splits besides ("split=all"), or has more than 300 000 files to be read.
std::optional<eval::CopiedRows> find_copies(const routing::TableView& table, const LogSink& log);

}  // namespace hedge::workflow
