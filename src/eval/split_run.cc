#include "eval/split_run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/clock.h"
#include "data/loader.h"

namespace hedge::eval {
namespace {

Error bad_output(std::string what, const std::string& where, std::string got, std::string expected) {
  return {.code = ErrorCode::kMismatch, .what = std::move(what), .where = where, .got = std::move(got), .expected = std::move(expected)};
}

using Visit = std::function<Status(const data::Batch& batch, const std::vector<Tensor>& outputs)>;

/// Runs `network` on the first `most` images (0: all), batch by batch.
Status for_each_batch(const Executor& network, const ImageRun& images, std::size_t most, const Visit& visit) {
  if (network.inputs().size() != 1)
    return bad_output("a network for images has one input", images.what, std::to_string(network.inputs().size()), "1");
  data::Loader loader(*images.dataset, images.recipe, {.batch = images.batch});
  const SteadyClock clock;
  const auto start = clock.now();
  const auto all = most == 0 ? images.dataset->size() : std::min(most, images.dataset->size());
  std::size_t done = 0;
  loader.start(0);
  while (done < all) {
    HEDGE_TRY(const auto batch, loader.next());
    if (!batch) break;
    const NamedView input = {network.inputs()[0].name, batch->images.view()};
    HEDGE_TRY(const auto outputs, network.run({&input, 1}));
    HEDGE_CHECK(visit(*batch, outputs));
    done += batch->indices.size();
    const double spent = seconds_between(start, clock.now());
    const auto total = static_cast<double>(all);
    if (images.progress)
      images.progress({images.what, static_cast<double>(done), total,
                       spent / static_cast<double>(done) * std::max(0.0, total - static_cast<double>(done)), ""});
  }
  if (done == 0) return Error{.code = ErrorCode::kBadData, .what = "no image could be decoded", .where = images.dataset->spec()};
  return {};
}

/// The first output of a rank. Errors: kMismatch.
Result<std::size_t> output_of_rank(const Executor& network, std::size_t rank, const char* what) {
  const auto& outputs = network.outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].dtype == DType::kF32 && outputs[i].shape.size() == rank) return i;
  return bad_output(std::string("the network lacks ") + what, network.description(), std::to_string(outputs.size()) + " outputs",
                    "one of rank " + std::to_string(rank));
}

/// Appends whether each row's largest logit is its label's. Errors: kMismatch, kBadData.
Status append_right(const Tensor& logits, const data::Batch& batch, const std::string& where, std::vector<std::uint8_t>& right) {
  if (logits.shape().size() != 2 || logits.shape()[0] != static_cast<std::int64_t>(batch.labels.size()))
    return bad_output("the logits have another shape", where, hedge::to_string(logits.shape()),
                      hedge::to_string(Shape{static_cast<std::int64_t>(batch.labels.size()), -1}));
  for (const float value : logits.data<float>())
    if (!std::isfinite(value)) return Error{.code = ErrorCode::kBadData, .what = "a logit is not finite", .where = where};
  const auto best = routing::argmax_rows(logits);
  for (std::size_t i = 0; i < best.size(); ++i) right.push_back(best[i] == batch.labels[i] ? 1 : 0);
  return {};
}

void append(std::vector<float>& all, const std::vector<float>& more) { all.insert(all.end(), more.begin(), more.end()); }

}  // namespace

Result<ExitMethod> run_exits(const Executor& network, const std::vector<std::string>& exits, std::vector<std::int64_t> macs,
                             const ImageRun& images) {
  std::vector<std::size_t> at;
  for (const auto& name : exits) {
    HEDGE_TRY(const auto index, find_spec(network.outputs(), name));
    at.push_back(index);
  }
  HEDGE_TRY(const auto last, find_spec(network.outputs(), "logits"));
  at.push_back(last);
  ExitMethod method{.name = "early_exit", .macs = std::move(macs)};
  method.entropy.resize(exits.size());
  method.right.resize(at.size());
  HEDGE_CHECK(for_each_batch(network, images, 0, [&](const data::Batch& batch, const std::vector<Tensor>& outputs) -> Status {
    for (std::size_t k = 0; k < at.size(); ++k) {
      HEDGE_CHECK(append_right(outputs[at[k]], batch, k < exits.size() ? exits[k] : "logits", method.right[k]));
      if (k < exits.size()) append(method.entropy[k], routing::free_score(routing::FreeScore::kEntropy, outputs[at[k]]));
    }
    return {};
  }));
  return method;
}

Result<Int8Code> int8_code(float lowest, float highest) {
  if (!std::isfinite(lowest) || !std::isfinite(highest) || lowest > highest)
    return Error{
        .code = ErrorCode::kBadData, .what = "no range to quantise", .got = std::to_string(lowest) + " to " + std::to_string(highest)};
  const double low = std::min(0.0, static_cast<double>(lowest)), high = std::max(0.0, static_cast<double>(highest));
  if (high == low) return Int8Code{};
  const double scale = (high - low) / 255.0;
  return Int8Code{static_cast<float>(scale), static_cast<int>(std::clamp(std::nearbyint(-128.0 - low / scale), -128.0, 127.0))};
}

std::vector<std::int8_t> encode_int8(std::span<const float> values, const Int8Code& code) {
  std::vector<std::int8_t> bytes;
  bytes.reserve(values.size());
  for (const float value : values)
    bytes.push_back(
        static_cast<std::int8_t>(std::clamp(std::nearbyint(value / code.scale) + static_cast<float>(code.zero_point), -128.0F, 127.0F)));
  return bytes;
}

std::vector<float> decode_int8(std::span<const std::int8_t> bytes, const Int8Code& code) {
  std::vector<float> values;
  values.reserve(bytes.size());
  for (const auto byte : bytes) values.push_back(code.scale * static_cast<float>(byte - code.zero_point));
  return values;
}

Result<Int8Code> measure_code(const Executor& device, const ImageRun& images, std::size_t most) {
  constexpr std::size_t kRankOfPlanes = 4;
  HEDGE_TRY(const auto cut, output_of_rank(device, kRankOfPlanes, "the cut tensor"));
  float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
  HEDGE_CHECK(for_each_batch(device, images, most, [&](const data::Batch&, const std::vector<Tensor>& outputs) -> Status {
    for (const float value : outputs[cut].data<float>()) {
      if (!std::isfinite(value))
        return Error{
            .code = ErrorCode::kBadData, .what = "the cut tensor holds a number that is not finite", .where = device.outputs()[cut].name};
      low = std::min(low, value), high = std::max(high, value);
    }
    return {};
  }));
  return int8_code(low, high);
}

Result<SplitMethods> run_split(const SplitParts& parts, const Int8Code& code, const ImageRun& images) {
  HEDGE_TRY(const auto cut, output_of_rank(*parts.device, 4, "the cut tensor"));
  HEDGE_TRY(const auto exit, output_of_rank(*parts.device, 2, "an exit head"));
  HEDGE_TRY(const auto logits, output_of_rank(*parts.cloud, 2, "logits"));
  if (parts.cloud->inputs().size() != 1)
    return bad_output("the cloud's half takes one tensor", parts.cloud->description(), std::to_string(parts.cloud->inputs().size()), "1");
  const std::string input = parts.cloud->inputs()[0].name;
  SplitMethods methods{{.name = "split_f32"}, {.name = "split_int8"}};
  std::vector<float> entropy;
  std::vector<std::uint8_t> device_right;
  HEDGE_CHECK(for_each_batch(*parts.device, images, 0, [&](const data::Batch& batch, const std::vector<Tensor>& outputs) -> Status {
    HEDGE_CHECK(append_right(outputs[exit], batch, "exit head", device_right));
    append(entropy, routing::free_score(routing::FreeScore::kEntropy, outputs[exit]));
    const auto rows = static_cast<std::int64_t>(batch.labels.size());
    const auto sent = encode_int8(outputs[cut].data<float>(), code);
    const auto received = Tensor::of<float>(outputs[cut].shape(), decode_int8(sent, code));
    methods.f32.query_bytes = static_cast<std::int64_t>(outputs[cut].num_bytes()) / rows;
    methods.int8.query_bytes = static_cast<std::int64_t>(sent.size() * sizeof(sent[0])) / rows;
    for (auto [method, tensor] : {std::pair(&methods.f32, outputs[cut].view()), std::pair(&methods.int8, received.view())}) {
      const NamedView view = {input, tensor};
      HEDGE_TRY(const auto answers, parts.cloud->run({&view, 1}));
      HEDGE_CHECK(append_right(answers[logits], batch, method->name, method->outcomes.global_right));
    }
    return {};
  }));
  for (auto* method : {&methods.f32, &methods.int8}) {
    method->outcomes.base_right = device_right;
    method->scores = {entropy};
  }
  return methods;
}

}  // namespace hedge::eval
