#include "data/loader.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "core/rng.h"
#include "data/internal/augment.h"
#include "data/internal/image_cache.h"
#include "data/internal/normalize_table.h"
#include "data/internal/ordered_queue.h"

namespace hedge::data {
namespace {

constexpr std::size_t kCacheBytes = std::size_t{1} << 30;
constexpr std::int64_t kMostPad = 4096;
constexpr std::int64_t kMostVary = 16;
constexpr int kMostWorkers = 1024;
constexpr std::int64_t kMostBatch = std::int64_t{1} << 20;

Error bad_option(const char* option, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::string("the loader's ") + option + " cannot be used",
               .got = std::move(got),
               .expected = std::move(expected)};
}

/// The pixels of one batch's images: borrowed from the cache, or held here.
struct Gathered {
  std::vector<const std::uint8_t*> pixels;
  std::vector<std::unique_ptr<Image>> held;
  std::vector<std::size_t> indices;
};

std::size_t image_bytes(const Preprocess& recipe) { return static_cast<std::size_t>(recipe.height * recipe.width * recipe.channels); }

}  // namespace

Status LoaderOptions::validate() const {
  if (batch < 1 || batch > kMostBatch) return bad_option("batch", std::to_string(batch), "1.." + std::to_string(kMostBatch));
  if (workers < 1 || workers > kMostWorkers) return bad_option("workers", std::to_string(workers), "1.." + std::to_string(kMostWorkers));
  if (prefetch < 1) return bad_option("prefetch", std::to_string(prefetch), "at least 1");
  if (augmentation && (augmentation->pad_crop < 0 || augmentation->pad_crop > kMostPad))
    return bad_option("augmentation.pad_crop", std::to_string(augmentation->pad_crop), "0.." + std::to_string(kMostPad));
  if (augmentation && (augmentation->cutout < 0 || augmentation->cutout > kMostPad))
    return bad_option("augmentation.cutout", std::to_string(augmentation->cutout), "0.." + std::to_string(kMostPad));
  if (augmentation && !(augmentation->erase >= 0 && augmentation->erase <= 1))
    return bad_option("augmentation.erase", std::to_string(augmentation->erase), "a probability, 0..1");
  if (augmentation && (augmentation->vary < 0 || augmentation->vary > kMostVary))
    return bad_option("augmentation.vary", std::to_string(augmentation->vary), "0.." + std::to_string(kMostVary));
  return {};
}

struct Loader::Impl {
  /// `problem` is what validation found; nothing is built on an invalid recipe.
  Impl(const Dataset& set, Preprocess fit, LoaderOptions how, bool with_pixels, std::optional<Error> problem)
      : dataset(set),
        recipe(std::move(fit)),
        options(std::move(how)),
        raw(with_pixels),
        invalid(std::move(problem)),
        table(invalid ? Normalization{} : recipe.normalization),
        cache(invalid ? 0 : set.size(), invalid ? 1 : image_bytes(recipe), kCacheBytes) {}

  ~Impl() { stop(); }

  void stop() {
    if (queue) queue->close();
    for (auto& thread : threads) thread.join();
    threads.clear();
    queue.reset();
  }

  void start(std::int64_t new_epoch) {
    stop();
    failure.reset();
    if (invalid) return;
    epoch = new_epoch;
    order.resize(dataset.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (options.shuffle) Rng(options.seed, static_cast<std::uint64_t>(epoch)).shuffle(std::span(order));
    queue = std::make_unique<internal::OrderedQueue<Result<Batch>>>(static_cast<std::size_t>(batches()), options.prefetch);
    for (int i = 0; i < options.workers; ++i) threads.emplace_back([this] { work(); });
  }

  [[nodiscard]] std::int64_t batches() const {
    const auto count = static_cast<std::int64_t>(dataset.size());
    if (invalid) return 0;
    return options.drop_last ? count / options.batch : (count + options.batch - 1) / options.batch;
  }

  void work() {
    while (const auto ticket = queue->claim()) {
      auto batch = guarded_batch(*ticket);
      const bool failed = !batch.ok();
      queue->put(*ticket, std::move(batch));
      if (failed) return;
    }
  }

  /// An exception must not leave its thread: a data set may be somebody else's, and memory may run out.
  Result<Batch> guarded_batch(std::size_t ticket) {
    try {
      return make_batch(ticket);
    } catch (const std::exception& exception) {
      return Error{.code = ErrorCode::kInternal, .what = "a worker of the loader failed", .where = dataset.spec(), .got = exception.what()};
    }
  }

  Result<Batch> make_batch(std::size_t ticket) {
    const auto first = ticket * static_cast<std::size_t>(options.batch);
    const auto last = std::min(first + static_cast<std::size_t>(options.batch), order.size());
    Gathered gathered;
    for (auto i = first; i < last; ++i) HEDGE_CHECK(gather(order[i], gathered));
    Batch batch;
    const auto count = static_cast<std::int64_t>(gathered.indices.size());
    if (count == 0) return batch;
    batch.images = Tensor(DType::kF32, {count, recipe.channels, recipe.height, recipe.width});
    if (raw) batch.pixels = Tensor(DType::kU8, {count, recipe.height, recipe.width, recipe.channels});
    for (const auto index : gathered.indices) batch.labels.push_back(dataset.label(index));
    fill(gathered, batch);
    batch.indices = std::move(gathered.indices);
    return batch;
  }

  /// Adds one fitted image, from the cache where it is there. A broken one is noted and left out, unless strict.
  Status gather(std::size_t index, Gathered& gathered) {
    const auto* pixels = cache.find(index);
    if (pixels == nullptr) {
      if (cache.is_broken(index) && !options.strict) return {};
      auto fitted = load(index);
      if (!fitted && options.strict) return std::move(fitted).error();
      if (!fitted) {
        note_broken(index, fitted.error());
        return {};
      }
      pixels = cache.store(index, fitted->pixels.data());
      if (pixels == nullptr) {
        gathered.held.push_back(std::make_unique<Image>(std::move(*fitted)));
        pixels = gathered.held.back()->pixels.data();
      }
    }
    gathered.pixels.push_back(pixels);
    gathered.indices.push_back(index);
    return {};
  }

  [[nodiscard]] Result<Image> load(std::size_t index) const {
    HEDGE_TRY(const auto image, dataset.image(index));
    return fit_image(image, recipe);
  }

  void note_broken(std::size_t index, const Error& error) {
    cache.set_broken(index);
    const std::lock_guard lock(mutex);
    broken.emplace(index, Skipped{.path = dataset.id(index), .reason = error.what, .hint = error.hint});
  }

  void fill(const Gathered& gathered, Batch& batch) const {
    const internal::ImageSize size{.height = recipe.height, .width = recipe.width, .channels = recipe.channels};
    const auto bytes = image_bytes(recipe);
    std::vector<std::uint8_t> changed(options.augmentation ? bytes : 0);
    auto* image = batch.images.data<float>().data();
    batch.mirrored.assign(gathered.pixels.size(), 0);
    for (std::size_t i = 0; i < gathered.pixels.size(); ++i) {
      const auto* pixels = gathered.pixels[i];
      if (options.augmentation) {
        const auto change =
            internal::draw_change(*options.augmentation, size, {.seed = options.seed, .epoch = epoch, .index = gathered.indices[i]});
        internal::apply_change(change, size, pixels, changed.data());
        batch.mirrored[i] = change.flip ? 1 : 0;
        pixels = changed.data();
      }
      table.apply(pixels, static_cast<std::size_t>(size.height * size.width), image + i * bytes);
      if (raw) std::memcpy(batch.pixels.data<std::uint8_t>().data() + i * bytes, pixels, bytes);
    }
  }

  const Dataset& dataset;
  const Preprocess recipe;
  const LoaderOptions options;
  const bool raw;
  const std::optional<Error> invalid;
  const internal::NormalizeTable table;
  internal::ImageCache cache;
  std::int64_t epoch = 0;
  std::vector<std::size_t> order;  ///< fixed while the threads run
  std::unique_ptr<internal::OrderedQueue<Result<Batch>>> queue;
  std::vector<std::thread> threads;
  std::optional<Error> failure;
  mutable std::mutex mutex;
  std::map<std::size_t, Skipped> broken;  ///< guarded by mutex
};

Loader::Loader(const Dataset& dataset, Preprocess recipe, LoaderOptions options, bool raw) {
  auto valid = options.validate();
  if (valid.ok()) valid = recipe.validate();
  std::optional<Error> problem;
  if (!valid.ok()) problem = valid.error();
  impl_ = std::make_unique<Impl>(dataset, std::move(recipe), std::move(options), raw, std::move(problem));
}

Loader::~Loader() = default;

void Loader::start(std::int64_t epoch) { impl_->start(epoch); }

Result<std::optional<Batch>> Loader::next() {
  if (impl_->invalid) return *impl_->invalid;
  if (impl_->failure) return *impl_->failure;
  if (!impl_->queue)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "the loader was not started", .hint = "call start(epoch) first"};
  while (auto item = impl_->queue->take()) {
    if (!item->ok()) {
      impl_->failure = item->error();
      impl_->queue->close();
      return *impl_->failure;
    }
    if (!(*item)->labels.empty()) return std::optional<Batch>(std::move(**item));
  }
  return std::optional<Batch>();
}

std::int64_t Loader::batches_per_epoch() const { return impl_->batches(); }

std::vector<Skipped> Loader::skipped() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Skipped> list;
  for (const auto& [index, skipped] : impl_->broken) list.push_back(skipped);
  return list;
}

}  // namespace hedge::data
