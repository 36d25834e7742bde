#pragma once

#include <functional>

#include "hedge/log.h"

namespace hedge::workflow {

/// What a long piece of work talks to; every part may be left empty. Sinks are called on the calling thread.
struct RunContext {
  LogSink log;                        ///< what is worth knowing, and warnings
  ProgressSink progress;              ///< how far it is, with the seconds left
  std::function<bool()> should_stop;  ///< polled; true ends the work with kCancelled, and what was done is kept
};

}  // namespace hedge::workflow
