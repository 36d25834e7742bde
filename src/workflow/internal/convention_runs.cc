#include "workflow/internal/convention_runs.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <optional>
#include <thread>

#include "workflow/internal/stop.h"

namespace hedge::workflow::internal {
namespace {

using data::Image;

/// Calls each(i) for all i < count on up to `threads` threads.
template <typename Each>
void for_each(std::size_t count, int threads, const Each& each) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) each(i);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads && static_cast<std::size_t>(t) < count; ++t) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
}

/// Recipes that resize alike have one geometry.
data::Preprocess geometry_of(data::Preprocess recipe) {
  recipe.normalization = {.mean = std::vector<float>(static_cast<std::size_t>(recipe.channels), 0.0F),
                          .std = std::vector<float>(static_cast<std::size_t>(recipe.channels), 1.0F)};
  return recipe;
}

/// An image under each geometry.
struct Fitted {
  std::vector<Result<Image>> by_geometry;
  std::optional<Error> broken;  ///< it cannot be decoded
};

Fitted fit(const data::Dataset& dataset, std::size_t index, const std::vector<data::Preprocess>& geometries) {
  Fitted fitted;
  const auto image = dataset.image(index);
  if (!image) {
    fitted.broken = image.error();
    return fitted;
  }
  for (const auto& geometry : geometries) fitted.by_geometry.push_back(data::fit_image(*image, geometry));
  return fitted;
}

void to_nhwc(const std::vector<float>& chw, std::int64_t channels, float* out) {
  const auto plane = chw.size() / static_cast<std::size_t>(channels);
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
    for (std::size_t i = 0; i < plane; ++i) out[i * static_cast<std::size_t>(channels) + c] = chw[c * plane + i];
}

/// One image into row `row` of the model's own input.
void write_row(const Image& image, const InputConvention& convention, Tensor& batch, std::size_t row) {
  const auto size = image.pixels.size();
  if (batch.dtype() == DType::kF32) {
    float* out = batch.data<float>().data() + row * size;
    if (convention.layout == model::Layout::kNchw) return data::normalize_into(image, convention.recipe.normalization, out);
    std::vector<float> chw(size);
    data::normalize_into(image, convention.recipe.normalization, chw.data());
    return to_nhwc(chw, image.channels, out);
  }
  const auto plane = size / static_cast<std::size_t>(image.channels);
  const auto flip = static_cast<std::uint8_t>(batch.dtype() == DType::kI8 ? 0x80 : 0);  // i8: less 128
  auto* out = reinterpret_cast<std::uint8_t*>(batch.bytes()) + row * size;
  for (std::size_t i = 0; i < size; ++i) {
    const auto c = i % static_cast<std::size_t>(image.channels), p = i / static_cast<std::size_t>(image.channels);
    out[convention.layout == model::Layout::kNchw ? c * plane + p : i] = static_cast<std::uint8_t>(image.pixels[i] ^ flip);
  }
}

Shape input_shape(std::int64_t rows, const InputConvention& convention) {
  const auto& r = convention.recipe;
  if (convention.layout == model::Layout::kNchw) return {rows, r.channels, r.height, r.width};
  return {rows, r.height, r.width, r.channels};
}

/// Appends the rows of one batch to the run.
Status append(const std::vector<Tensor>& outputs, std::size_t logits, std::size_t rows, ConventionRun& run) {
  const auto& output = outputs[logits];
  const bool fits = output.dtype() == DType::kF32 && output.shape().size() >= 2 && output.shape()[0] >= static_cast<std::int64_t>(rows);
  const auto width = fits ? output.num_elements() / output.shape()[0] : 0;
  if (!fits || (run.outputs > 0 && width != run.outputs))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the classifying output has another shape than one row of numbers an image",
                 .got = std::string(to_string(output.dtype())) + to_string(output.shape())};
  run.outputs = width;
  const auto values = output.data<float>().first(rows * static_cast<std::size_t>(width));
  run.logits.insert(run.logits.end(), values.begin(), values.end());
  run.images += rows;
  return {};
}

/// The fitted images through the model, in batches as it wants them.
Status feed(const Executor& executor, const std::vector<const Image*>& images, ConventionRun& run) {
  const auto& input = executor.inputs()[0];
  HEDGE_TRY(const auto logits, find_spec(executor.outputs(), "logits"));
  const bool fixed = !input.shape.empty() && input.shape[0] > 0;
  const auto step = fixed ? static_cast<std::size_t>(input.shape[0]) : images.size();
  for (std::size_t first = 0; first < images.size(); first += step) {
    const auto rows = std::min(step, images.size() - first);
    Tensor batch(input.dtype, input_shape(static_cast<std::int64_t>(fixed ? step : rows), run.convention));
    for (std::size_t i = 0; i < rows; ++i) write_row(*images[first + i], run.convention, batch, i);
    const NamedView view{input.name, batch.view()};
    HEDGE_TRY(const auto outputs, executor.run({&view, 1}));
    HEDGE_CHECK(append(outputs, logits, rows, run));
  }
  return {};
}

/// The geometries of the runs that go on, each once, and which is whose.
struct Geometries {
  std::vector<data::Preprocess> all;
  std::vector<std::size_t> of_run;
};

Geometries geometries_of(const std::vector<ConventionRun>& runs) {
  Geometries geometries;
  for (const auto& run : runs) {
    const auto geometry = geometry_of(run.convention.recipe);
    const auto found = std::find(geometries.all.begin(), geometries.all.end(), geometry);
    geometries.of_run.push_back(static_cast<std::size_t>(found - geometries.all.begin()));
    if (!run.ended && found == geometries.all.end()) geometries.all.push_back(geometry);
  }
  return geometries;
}

/// Whether two geometries make the same pixels of each image.
bool same_pixels(const std::vector<Fitted>& fitted, std::size_t a, std::size_t b) {
  return std::all_of(fitted.begin(), fitted.end(), [&](const Fitted& one) {
    return one.by_geometry[a].ok() && one.by_geometry[b].ok() && one.by_geometry[a]->pixels == one.by_geometry[b]->pixels;
  });
}

/// Whether run `r` differs from the first in how it resizes alone, and that changes no pixel of these images.
bool same_images(const std::vector<Fitted>& fitted, const Geometries& geometries, const std::vector<ConventionRun>& runs, std::size_t r) {
  const auto &first = runs.front().convention, &other = runs[r].convention;
  return r > 0 && !runs[r].ended && !runs.front().ended && other.layout == first.layout &&
         other.recipe.normalization == first.recipe.normalization && same_pixels(fitted, geometries.of_run[0], geometries.of_run[r]);
}

/// The last `rows` rows of the first run are this one's too.
void copy_rows(const ConventionRun& first, std::size_t rows, ConventionRun& run) {
  run.outputs = first.outputs;
  run.images += rows;
  run.logits.insert(run.logits.end(), first.logits.end() - static_cast<std::ptrdiff_t>(rows) * first.outputs, first.logits.end());
}

Status run_one(const Executor& executor, const std::vector<Fitted>& fitted, std::size_t geometry, ConventionRun& run) {
  std::vector<const Image*> images;
  for (const auto& one : fitted) {
    if (!one.by_geometry[geometry]) return one.by_geometry[geometry].error();
    images.push_back(&*one.by_geometry[geometry]);
  }
  HEDGE_CHECK(feed(executor, images, run));
  const auto bad = std::find_if(run.logits.begin(), run.logits.end(), [](float v) { return !std::isfinite(v); });
  if (bad == run.logits.end()) return {};
  return Error{.code = ErrorCode::kBadData, .what = "the model gives a number that is not finite", .got = std::to_string(*bad)};
}

}  // namespace

Result<std::vector<std::size_t>> ConventionRunner::run(std::span<const std::size_t> images, std::vector<ConventionRun>& runs,
                                                       std::vector<data::Skipped>& skipped) const {
  HEDGE_CHECK(check_stop(options_.should_stop, "check"));
  const auto geometries = geometries_of(runs);
  std::vector<Fitted> fitted(images.size());
  for_each(images.size(), options_.threads, [&](std::size_t i) { fitted[i] = fit(*options_.dataset, images[i], geometries.all); });
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (fitted[i].broken) {
      skipped.push_back({.path = options_.dataset->id(images[i]), .reason = fitted[i].broken->message()});
    } else {
      used.push_back(images[i]);
    }
  }
  std::erase_if(fitted, [](const Fitted& one) { return one.broken.has_value(); });
  if (fitted.empty()) return used;
  std::vector<char> same(runs.size());  // no vector<bool>: threads write neighbours
  std::vector<std::optional<Error>> errors(runs.size());
  for_each(runs.size(), options_.threads, [&](std::size_t r) {
    same[r] = same_images(fitted, geometries, runs, r);
    if (runs[r].ended || same[r]) return;
    if (auto status = run_one(*options_.executor, fitted, geometries.of_run[r], runs[r]); !status) errors[r] = std::move(status).error();
  });
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (r == 0 && errors[r]) return std::move(*errors[r]);
    if (same[r]) copy_rows(runs.front(), fitted.size(), runs[r]);
    runs[r].same = runs[r].same && (same[r] || runs[r].ended);
    if (!errors[r]) continue;
    runs[r].ended = true;
    runs[r].same = false;
    runs[r].failed = errors[r]->message();
  }
  return used;
}

Result<OwnInput> own_input(const Executor& executor, const data::Preprocess& recipe) {
  const auto unusable = [](const std::string& got) {
    return Error{.code = ErrorCode::kUnsupported, .what = "the model's input is no image", .got = got, .expected = "one of f32, u8 or i8"};
  };
  if (executor.inputs().size() != 1) return unusable(std::to_string(executor.inputs().size()) + " inputs");
  const auto& input = executor.inputs()[0];
  if (input.dtype != DType::kF32 && input.dtype != DType::kU8 && input.dtype != DType::kI8)
    return unusable(std::string(to_string(input.dtype)) + to_string(input.shape));
  auto shape = input.shape;
  const auto batch = !shape.empty() && shape[0] > 0 ? shape[0] : 1;
  const InputConvention nchw{.recipe = recipe, .layout = model::Layout::kNchw}, nhwc{.recipe = recipe, .layout = model::Layout::kNhwc};
  const OwnInput own{.normalised = input.dtype == DType::kF32,
                     .nchw = fits(input_shape(batch, nchw), shape),
                     .nhwc = fits(input_shape(batch, nhwc), shape)};
  if (own.nchw || own.nhwc) return own;
  return Error{.code = ErrorCode::kMismatch,
               .what = "the model's input does not fit its recipe",
               .where = input.name,
               .got = to_string(input.shape),
               .expected = to_string(input_shape(-1, nchw)) + " or " + to_string(input_shape(-1, nhwc))};
}

}  // namespace hedge::workflow::internal
