#include "data/near_copies.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "data/internal/thumbnail.h"

namespace hedge::data {
namespace {

using internal::FineStructure;
using internal::Thumbnail;

constexpr std::size_t kCandidates = 32;
constexpr double kLeastCoarse = 0.95;
constexpr double kSure = 0.97;
constexpr double kLikely = 0.85;
constexpr double kFarFromNext = 0.3;
constexpr double kMostDifference = 12;
constexpr std::size_t kBlock = 64;  ///< images a step: so often the caller is asked and told

/// Work of [0, count) in blocks on several threads; the calling thread tells and asks.
class Work {
 public:
  Work(const NearCopyOptions& options, std::string what, std::size_t count) : options_(options), what_(std::move(what)), count_(count) {}

  /// Calls `each(index)`, in any order. Errors: kCancelled; kInternal, an exception.
  template <typename Each>
  Status run(const Each& each) {
    const auto body = [this, &each](bool calling) {
      try {
        while (!stopped_) {
          const auto first = next_.fetch_add(kBlock);
          if (first >= count_) return;
          for (auto i = first; i < std::min(first + kBlock, count_); ++i) each(i);
          if (calling) tell();
        }
      } catch (const std::exception& exception) {
        const std::lock_guard lock(mutex_);
        problem_ = Error{.code = ErrorCode::kInternal, .what = "the search for copies failed", .got = exception.what()};
        stopped_ = true;
      }
    };
    std::vector<std::thread> threads;
    for (int t = 1; t < options_.threads; ++t) threads.emplace_back(body, false);
    body(true);
    for (auto& thread : threads) thread.join();
    if (problem_) return *problem_;
    if (stopped_) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = what_};
    return {};
  }

 private:
  void tell() {
    if (options_.should_stop && options_.should_stop()) stopped_ = true;
    if (options_.progress)
      options_.progress({.what = what_, .done = static_cast<double>(std::min(next_.load(), count_)), .total = static_cast<double>(count_)});
  }

  const NearCopyOptions& options_;
  const std::string what_;
  const std::size_t count_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::optional<Error> problem_;  ///< guarded by mutex_
};

Result<std::vector<Thumbnail>> thumbnails(const Dataset& dataset, const NearCopyOptions& options) {
  std::vector<Thumbnail> all(dataset.size());
  HEDGE_CHECK(Work(options, "read images", all.size()).run([&](std::size_t i) {
    const auto image = dataset.image(i);
    if (image) all[i] = internal::make_thumbnail(image->orientation == 1 ? *image : upright(*image));
  }));
  return all;
}

std::int32_t product(const Thumbnail& a, const Thumbnail& b) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < a.coarse.size(); ++i) sum += std::int32_t{a.coarse[i]} * std::int32_t{b.coarse[i]};
  return sum;
}

/// The best few of `b`, by the coarse correlation.
class Candidates {
 public:
  void offer(std::int32_t product, std::size_t b) {
    if (product < least_) return;
    const auto at = std::upper_bound(best_.begin(), best_.end(), product, [](std::int32_t p, const Entry& e) { return p > e.product; });
    best_.insert(at, {product, b});
    if (best_.size() <= kCandidates) return;
    best_.pop_back();
    least_ = best_.back().product + 1;
  }
  [[nodiscard]] std::vector<std::size_t> indices() const {
    std::vector<std::size_t> all;
    for (const auto& entry : best_) all.push_back(entry.b);
    return all;
  }

 private:
  struct Entry {
    std::int32_t product;
    std::size_t b;
  };
  std::vector<Entry> best_;
  std::int32_t least_ = static_cast<std::int32_t>(kLeastCoarse * internal::kCoarseLength * internal::kCoarseLength);
};

/// Both data sets as thumbnails, and the images of `b` by their stored bytes.
struct Search {
  const Dataset& a;
  const Dataset& b;
  std::vector<Thumbnail> of_a;
  std::vector<Thumbnail> own_b;  ///< empty where both are one data set
  std::unordered_multimap<std::uint64_t, std::size_t> stored;

  [[nodiscard]] bool within() const { return &a == &b; }
  [[nodiscard]] const std::vector<Thumbnail>& of_b() const { return within() ? of_a : own_b; }
  /// Of a data set with itself each pair once.
  [[nodiscard]] std::size_t first_b(std::size_t i) const { return within() ? i + 1 : 0; }

  void index_stored() {
    for (std::size_t j = 0; j < b.size(); ++j)
      if (const auto hash = b.stored_hash(j)) stored.emplace(*hash, j);
  }

  [[nodiscard]] std::vector<NearCopy> exact_copies(std::size_t i) const {
    std::vector<NearCopy> found;
    const auto hash = a.stored_hash(i);
    if (!hash) return found;
    for (auto [it, end] = stored.equal_range(*hash); it != end; ++it)
      if (it->second >= first_b(i)) found.push_back({.a = i, .b = it->second, .likeness = 1, .exact = true});
    return found;
  }

  [[nodiscard]] std::vector<NearCopy> copies(std::size_t i) const {
    auto found = exact_copies(i);
    if (!of_a[i].readable) return found;
    Candidates candidates;
    for (auto j = first_b(i); j < of_b().size(); ++j) candidates.offer(product(of_a[i], of_b()[j]), j);
    const FineStructure fine(of_a[i]);
    std::vector<NearCopy> compared;
    for (const auto j : candidates.indices())
      if (std::none_of(found.begin(), found.end(), [j](const NearCopy& copy) { return copy.b == j; }))
        compared.push_back({.a = i, .b = j, .likeness = std::clamp(fine.correlation(FineStructure(of_b()[j])), 0.0, 1.0)});
    std::sort(compared.begin(), compared.end(), [](const NearCopy& x, const NearCopy& y) { return x.likeness > y.likeness; });
    for (std::size_t k = 0; k < compared.size() && compared[k].likeness >= kLikely; ++k) {
      const double next = k == 0 && compared.size() > 1 ? compared[1].likeness : compared[0].likeness;
      const bool alone = k == 0 && (compared.size() == 1 || 1 - compared[0].likeness <= kFarFromNext * (1 - next));
      if ((compared[k].likeness >= kSure || alone) && internal::difference(of_a[i], of_b()[compared[k].b]) <= kMostDifference)
        found.push_back(compared[k]);
    }
    return found;
  }
};

std::size_t unreadable(const std::vector<Thumbnail>& all) {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const Thumbnail& one) { return !one.readable; }));
}

}  // namespace

Result<NearCopies> near_copies(const Dataset& a, const Dataset& b, const NearCopyOptions& options) {
  if (options.threads < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the search for copies needs a thread",
                 .got = std::to_string(options.threads),
                 .expected = "at least 1"};
  Search search{.a = a, .b = b, .of_a = {}, .own_b = {}, .stored = {}};
  HEDGE_TRY(search.of_a, thumbnails(a, options));
  if (!search.within()) {
    HEDGE_TRY(search.own_b, thumbnails(b, options));
  }
  search.index_stored();
  std::vector<std::vector<NearCopy>> found(a.size());
  HEDGE_CHECK(Work(options, "compare images", a.size()).run([&](std::size_t i) { found[i] = search.copies(i); }));
  NearCopies copies{.unreadable = unreadable(search.of_a) + unreadable(search.own_b)};
  for (const auto& of_one : found) {
    copies.images += of_one.empty() ? 0 : 1;
    copies.pairs.insert(copies.pairs.end(), of_one.begin(), of_one.end());
  }
  std::stable_sort(copies.pairs.begin(), copies.pairs.end(),
                   [](const NearCopy& x, const NearCopy& y) { return x.exact != y.exact ? x.exact : x.likeness > y.likeness; });
  if (copies.pairs.size() > options.most_pairs) copies.pairs.resize(options.most_pairs);
  return copies;
}

}  // namespace hedge::data
