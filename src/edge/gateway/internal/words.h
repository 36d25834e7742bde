#pragma once

#include <string>
#include <vector>

#include "edge/runtime.h"
#include "hedge/result.h"
#include "micro/messages.h"

/// Between the serial protocol's words and the edge's.
namespace hedge::edge::words {

/// The best classes of `logits` with their softmax; the lowest index wins a tie.
micro::CloudReply rank(const std::vector<float>& logits);

/// What to tell the device of a failed query.
micro::AnswerReason outcome_of(const Error& error);

/// The reason of docs/formats/edge_json_lines.md; `failure`: what the cloud said, where the gateway knows it.
std::string reason_text(micro::AnswerReason reason, const std::string& failure);

Source source_of(micro::AnswerSource source);

}  // namespace hedge::edge::words
