#include "edge/gateway/internal/words.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hedge::edge::words {

using micro::AnswerReason;

micro::CloudReply rank(const std::vector<float>& logits) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - logits[order[0]]));
  micro::CloudReply reply;
  reply.count = static_cast<std::uint8_t>(std::min(order.size(), micro::CloudReply::kMostClasses));
  for (std::size_t i = 0; i < reply.count; ++i)
    reply.classes[i] = {.label = static_cast<std::uint16_t>(order[i]),
                        .probability = static_cast<float>(std::exp(static_cast<double>(logits[order[i]] - logits[order[0]])) / sum)};
  return reply;
}

AnswerReason outcome_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kDeadline: return AnswerReason::kCloudLate;
    case ErrorCode::kMismatch:
    case ErrorCode::kBadData:
    case ErrorCode::kBadFormat: return AnswerReason::kCloudRefused;
    default: return AnswerReason::kCloudUnavailable;
  }
}

std::string reason_text(AnswerReason reason, const std::string& failure) {
  switch (reason) {
    case AnswerReason::kConfident: return "score<=threshold";
    case AnswerReason::kQueried: return "queried";
    case AnswerReason::kNoCloud: return "no cloud configured";
    case AnswerReason::kGatewaySilent: return "gateway unavailable: the query was not acknowledged";
    case AnswerReason::kGatewayLate: return "gateway late: the query was acknowledged, but nothing came of it in time";
    case AnswerReason::kNotAsked: return "gateway unavailable: not asked, because it was silent before";
    case AnswerReason::kQueryRefused: return "gateway refused: it does not take this image";
    case AnswerReason::kCloudLate: return failure.empty() ? "cloud late: the device says so" : failure;
    case AnswerReason::kCloudUnavailable: return failure.empty() ? "cloud unavailable: the device says so" : failure;
    case AnswerReason::kCloudRefused: return failure.empty() ? "cloud answer refused: it is no class of the device" : failure;
  }
  return "unknown";
}

Source source_of(micro::AnswerSource source) {
  switch (source) {
    case micro::AnswerSource::kEdge: return Source::kEdge;
    case micro::AnswerSource::kCloud: return Source::kCloud;
    case micro::AnswerSource::kEdgeFallback: break;
  }
  return Source::kEdgeFallback;
}

}  // namespace hedge::edge::words
