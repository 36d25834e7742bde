#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::routing {

/// Which images rows are, where no image is at hand (docs/formats/prediction_table.md, "Imported tables").

/// The first 8 bytes of the text's SHA-256, as a signed number.
std::int64_t hash_of(std::string_view text);

/// The hash of the image called `id` in the table's data set `name`.
std::int64_t row_hash(std::string_view name, std::string_view id);

/// SHA-256 over the rows' image hashes and labels, in whatever order they stand; without image hashes over labels and base logits.
std::string rows_hash(const PredictionTable& table);

/// "table:NAME?split=SPLIT", the specification of images that only tables know.
std::string table_dataset(std::string_view name, std::string_view split);
/// The name in it; empty for another specification.
std::string name_of_table(std::string_view dataset);
/// A text without the signs that a name must not hold.
std::string table_name_of(std::string text);
/// Errors: kInvalidArgument: a sign of "?&+".
Status check_table_name(const std::string& name);

}  // namespace hedge::routing
