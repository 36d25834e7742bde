#include "apps/gallery.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "data/codec.h"
#include "data/dataset.h"
#include "routing/scores.h"

namespace hedge::apps {
namespace {

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const auto n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text.push_back(k <= n ? kDigits[(word >> (18 - 6 * k)) & 63] : '=');
  }
  return text;
}

double confidence(std::span<const float> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - most);
  return 1.0 / sum;
}

}  // namespace

Result<Json> queried_pictures(const routing::PredictionTable& table, std::span<const float> scores, float threshold, std::size_t most) {
  HEDGE_TRY(const auto opened, data::open_dataset(table.info.dataset));
  const auto& dataset = *opened.dataset;
  if (dataset.content_hash() != table.info.content_hash || dataset.size() != table.size())
    return Error{.code = ErrorCode::kMismatch, .what = "the data set no longer holds the table's pictures", .where = table.info.dataset};
  std::vector<std::size_t> queried;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > threshold) queried.push_back(i);
  std::stable_sort(queried.begin(), queried.end(), [scores](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const auto base = routing::argmax_rows(table.base_logits);
  const auto global = routing::argmax_rows(table.global_logits);
  const auto names = dataset.class_names();
  const auto name = [&names](std::int64_t index) { return names.at(static_cast<std::size_t>(index)); };
  const auto classes = static_cast<std::size_t>(table.classes());
  Json pictures = Json::array();
  const auto shown = std::min(most, queried.size());
  for (std::size_t k = 0; k < shown; ++k) {
    const auto row = queried[k * queried.size() / shown];
    HEDGE_TRY(const auto picture, dataset.picture(row));
    HEDGE_TRY(const auto png, data::encode_png(picture));
    const auto label = dataset.label(row);
    pictures.push_back({{"png", base64(png)},
                        {"id", dataset.id(row)},
                        {"label", name(label)},
                        {"base", name(base[row])},
                        {"base_confidence", confidence(table.base_logits.data<float>().subspan(row * classes, classes))},
                        {"global", name(global[row])},
                        {"score", scores[row]},
                        {"helped", base[row] != label && global[row] == label}});
  }
  return pictures;
}

}  // namespace hedge::apps
