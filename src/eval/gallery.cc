#include "eval/gallery.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/image.h"
#include "hedge/preprocess.h"
#include "hedge/router.h"

namespace hedge::eval {
namespace {

double confidence(std::span<const float> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - most);
  return 1.0 / sum;
}

/// Above this, a photograph is a tenth of the size as JPEG; small images stay exact.
constexpr std::int64_t kLargestPngSide = 64;
constexpr std::int64_t kShorterSide = 96;
constexpr int kJpegQuality = 82;

/// Sets `bytes` and `jpeg`.
Status add_thumbnail(const data::Image& image, ReportImage& shown) {
  if (image.orientation != 1) return add_thumbnail(data::upright(image), shown);
  if (std::max(image.height, image.width) <= kLargestPngSide) {
    HEDGE_TRY(shown.bytes, data::encode_png(image));
    return {};
  }
  const auto shorter = std::min(image.height, image.width);
  const auto channels = static_cast<std::size_t>(image.channels);
  data::Preprocess small{.version = data::Preprocess::kNewestVersion,
                         .channels = image.channels,
                         .height = image.height,
                         .width = image.width,
                         .normalization = {.mean = std::vector<float>(channels, 0.0F), .std = std::vector<float>(channels, 1.0F)}};
  if (shorter > kShorterSide) {
    small.resize_shorter = kShorterSide;
    small.height = image.height * kShorterSide / shorter;
    small.width = image.width * kShorterSide / shorter;
  }
  HEDGE_TRY(const auto fitted, data::fit_image(image, small));
  HEDGE_TRY(shown.bytes, data::encode_jpeg(fitted, kJpegQuality));
  shown.jpeg = true;
  return {};
}

/// What every image of one gallery is described with.
struct Source {
  const routing::TableView& table;
  const data::Dataset& dataset;
  std::span<const float> scores;
  std::vector<std::int64_t> base, global;

  [[nodiscard]] std::string name(std::int64_t index) const {
    const auto& names = table.info.class_names;
    const auto at = static_cast<std::size_t>(index);
    return at < names.size() ? names[at] : std::to_string(index);
  }
};

Result<ReportImage> describe(const Source& source, std::size_t row) {
  HEDGE_TRY(const auto image, source.dataset.image(row));
  const auto classes = static_cast<std::size_t>(source.table.classes());
  const auto label = source.table.labels.data<std::int64_t>()[row];
  ReportImage shown{.row = static_cast<std::int64_t>(row),
                    .id = source.dataset.id(row),
                    .label = source.name(label),
                    .base = source.name(source.base[row]),
                    .base_confidence = confidence(source.table.base_logits.data<float>().subspan(row * classes, classes)),
                    .score = source.scores[row]};
  HEDGE_CHECK(add_thumbnail(image, shown));
  if (source.global.empty()) return shown;
  shown.global = source.name(source.global[row]);
  shown.helped = source.base[row] != label && source.global[row] == label;
  return shown;
}

/// Up to `most` of `rows`, evenly over their order.
Result<std::vector<ReportImage>> describe_some(const Source& source, const std::vector<std::size_t>& rows, std::size_t most) {
  std::vector<ReportImage> images;
  const auto shown = std::min(most, rows.size());
  for (std::size_t k = 0; k < shown; ++k) {
    HEDGE_TRY(auto image, describe(source, rows[k * rows.size() / shown]));
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace

Result<Gallery> make_gallery(const routing::TableView& table, const GalleryRequest& request) {
  HEDGE_TRY(const auto opened, data::open_dataset(table.info.dataset));
  const auto& dataset = *opened.dataset;
  const auto scores = request.scores;
  if (dataset.content_hash() != table.info.content_hash || dataset.size() != table.size() || scores.size() != table.size())
    return Error{.code = ErrorCode::kMismatch, .what = "the data set no longer holds the table's images", .where = table.info.dataset};
  const Source source{.table = table,
                      .dataset = dataset,
                      .scores = scores,
                      .base = routing::argmax_rows(table.base_logits),
                      .global = table.has_global() ? routing::argmax_rows(table.global_logits) : std::vector<std::int64_t>()};
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [scores](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::vector<std::size_t> queried;
  for (auto row = order.rbegin(); row != order.rend() && scores[*row] > request.threshold; ++row) queried.push_back(*row);
  Gallery gallery;
  HEDGE_TRY(gallery.queried, describe_some(source, queried, request.queried));
  HEDGE_TRY(gallery.spread, describe_some(source, order, request.spread));
  return gallery;
}

}  // namespace hedge::eval
