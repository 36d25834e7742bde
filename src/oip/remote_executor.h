#pragma once

#include <chrono>
#include <memory>

#include "hedge/executor.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::oip {

/// A remote model as an Executor: the runner "remote". Asks for inputs and outputs once; each run waits for its answer, for at most
/// `deadline`, and may overlap with others. Inputs are checked here, before anything is sent, and answers against the outputs' specs.
/// Errors here: those of RemoteModel::inputs. Of run, beyond Executor's: those of RemoteModel::infer_async.
Result<std::unique_ptr<Executor>> make_remote_executor(std::unique_ptr<RemoteModel> model, std::chrono::milliseconds deadline);

}  // namespace hedge::oip
