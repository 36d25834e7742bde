#include "data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "data/fixtures.h"
#include "data/internal/augment.h"
#include "data/internal/ordered_queue.h"

namespace hedge::data {
namespace {

using namespace std::chrono_literals;
using testing::FakeDataset;
using testing::noise;

const Preprocess kRecipe{.channels = 1, .height = 4, .width = 4, .resize_shorter = 0, .normalization = {.mean = {0.5F}, .std = {0.25F}}};

std::vector<Batch> epoch_of(Loader& loader, std::int64_t epoch) {
  std::vector<Batch> batches;
  loader.start(epoch);
  while (true) {
    auto batch = loader.next();
    EXPECT_TRUE(batch.ok());
    if (!batch.ok() || !batch->has_value()) return batches;
    batches.push_back(std::move(**batch));
  }
}

/// Everything an epoch gives, as one string, to compare runs.
std::string trace(const std::vector<Batch>& batches) {
  std::string text;
  for (const auto& batch : batches) {
    text += "|" + hedge::to_string(batch.images.shape());
    for (const auto index : batch.indices) text += " " + std::to_string(index);
    for (const auto label : batch.labels) text += " " + std::to_string(label);
    text.append(reinterpret_cast<const char*>(batch.images.bytes()), batch.images.num_bytes());
  }
  return text;
}

TEST(Loader, gives_every_image_once_in_order_normalised) {
  const FakeDataset dataset(10);
  Loader loader(dataset, kRecipe, {.batch = 4}, true);
  const auto batches = epoch_of(loader, 0);
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(loader.batches_per_epoch(), 3);
  EXPECT_EQ(batches[0].images.shape(), (Shape{4, 1, 4, 4}));
  EXPECT_EQ(batches[2].images.shape(), (Shape{2, 1, 4, 4}));
  EXPECT_EQ(batches[2].pixels.shape(), (Shape{2, 4, 4, 1}));
  EXPECT_EQ(batches[2].indices, (std::vector<std::size_t>{8, 9}));
  EXPECT_EQ(batches[2].labels, (std::vector<std::int64_t>{0, 1}));
  const auto expected = noise(9, 4, 4, 1);
  std::vector<float> floats(16);
  normalize_into(expected, kRecipe.normalization, floats.data());
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(batches[2].images.data<float>()[16 + i], floats[i]);
    EXPECT_EQ(batches[2].pixels.data<std::uint8_t>()[16 + i], expected.pixels[i]);
  }
}

TEST(Loader, does_not_depend_on_the_number_of_workers) {
  const FakeDataset dataset(101, {17, 40});
  LoaderOptions options{.batch = 8, .shuffle = true, .seed = 5, .augmentation = Augmentation{.pad_crop = 2, .flip = true}};
  std::string first;
  for (const int workers : {1, 2, 5}) {
    options.workers = workers;
    Loader loader(dataset, kRecipe, options);
    const auto text = trace(epoch_of(loader, 0)) + trace(epoch_of(loader, 1));
    if (first.empty()) first = text;
    EXPECT_EQ(text, first) << workers;
  }
}

TEST(Loader, epochs_and_seeds_differ_and_repeat) {
  const FakeDataset dataset(40);
  LoaderOptions options{.batch = 40, .shuffle = true, .seed = 5, .augmentation = Augmentation{.pad_crop = 1, .flip = true}};
  Loader loader(dataset, kRecipe, options);
  const auto zero = trace(epoch_of(loader, 0));
  const auto one = trace(epoch_of(loader, 1));
  EXPECT_NE(zero, one);
  EXPECT_EQ(trace(epoch_of(loader, 0)), zero);
  options.seed = 6;
  Loader other(dataset, kRecipe, options);
  EXPECT_NE(trace(epoch_of(other, 0)), zero);
}

TEST(Loader, shuffling_keeps_every_image) {
  const FakeDataset dataset(33);
  Loader loader(dataset, kRecipe, {.batch = 10, .shuffle = true});
  std::multiset<std::size_t> seen;
  std::vector<std::size_t> order;
  for (const auto& batch : epoch_of(loader, 3)) {
    seen.insert(batch.indices.begin(), batch.indices.end());
    order.insert(order.end(), batch.indices.begin(), batch.indices.end());
  }
  EXPECT_EQ(seen.size(), 33U);
  EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), 33U);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
}

TEST(Loader, drop_last_leaves_out_the_small_batch) {
  const FakeDataset dataset(10);
  Loader loader(dataset, kRecipe, {.batch = 4, .drop_last = true});
  EXPECT_EQ(loader.batches_per_epoch(), 2);
  EXPECT_EQ(epoch_of(loader, 0).size(), 2U);
}

TEST(Loader, leaves_out_broken_images_and_lists_each_once) {
  const FakeDataset dataset(8, {0, 1, 2, 3, 6});
  Loader loader(dataset, kRecipe, {.batch = 4, .workers = 2});
  for (const int epoch : {0, 1}) {
    const auto batches = epoch_of(loader, epoch);
    ASSERT_EQ(batches.size(), 1U) << "a batch without any image is left out";
    EXPECT_EQ(batches[0].indices, (std::vector<std::size_t>{4, 5, 7}));
    EXPECT_EQ(batches[0].images.shape()[0], 3);
  }
  const auto skipped = loader.skipped();
  ASSERT_EQ(skipped.size(), 5U);
  EXPECT_EQ(skipped[4].path, "fake/6");
  EXPECT_EQ(skipped[4].reason, "a broken image");
}

TEST(Loader, strict_ends_the_epoch_with_the_error_after_the_batches_before_it) {
  const FakeDataset dataset(40, {9});
  Loader loader(dataset, kRecipe, {.batch = 4, .workers = 3, .strict = true});
  loader.start(0);
  for (int i = 0; i < 2; ++i) {
    auto batch = loader.next();
    ASSERT_TRUE(batch.ok());
    EXPECT_TRUE(batch->has_value());
  }
  for (int i = 0; i < 2; ++i) {
    const auto batch = loader.next();
    ASSERT_FALSE(batch.ok());
    EXPECT_EQ(batch.error().code, ErrorCode::kBadFormat);
    EXPECT_EQ(batch.error().where, "fake/9");
  }
}

TEST(Loader, decodes_each_image_once) {
  const FakeDataset dataset(20);
  Loader loader(dataset, kRecipe, {.batch = 6, .shuffle = true, .workers = 2});
  for (int epoch = 0; epoch < 3; ++epoch) epoch_of(loader, epoch);
  EXPECT_EQ(dataset.decoded, 20);
}

TEST(Loader, works_ahead_no_further_than_prefetch) {
  const FakeDataset dataset(1000);
  Loader loader(dataset, kRecipe, {.batch = 10, .workers = 4, .prefetch = 3});
  loader.start(0);
  const auto settles_at = [&](int expected) {
    for (int i = 0; i < 10000 && dataset.decoded < expected; ++i) std::this_thread::sleep_for(2ms);
    std::this_thread::sleep_for(30ms);
    return dataset.decoded.load();
  };
  EXPECT_EQ(settles_at(30), 30);
  ASSERT_TRUE(loader.next().ok());
  EXPECT_EQ(settles_at(40), 40);
}

TEST(Loader, can_be_left_and_restarted_in_the_middle) {
  const FakeDataset dataset(500);
  Loader loader(dataset, kRecipe, {.batch = 5, .workers = 3, .prefetch = 2});
  loader.start(0);
  ASSERT_TRUE(loader.next().ok());
  EXPECT_EQ(epoch_of(loader, 1).size(), 100U);
  loader.start(2);
  ASSERT_TRUE(loader.next().ok());
}

TEST(Loader, an_exception_of_a_dataset_becomes_an_error) {
  class Throwing final : public Dataset {
   public:
    [[nodiscard]] std::size_t size() const override { return 3; }
    [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
    [[nodiscard]] std::int64_t label(std::size_t) const override { return 0; }
    [[nodiscard]] std::string id(std::size_t) const override { return "x"; }
    [[nodiscard]] Result<Image> image(std::size_t) const override { throw std::runtime_error("boom"); }
    [[nodiscard]] const std::string& content_hash() const override { return text_; }
    [[nodiscard]] const std::string& spec() const override { return text_; }

   private:
    std::vector<std::string> names_;
    std::string text_ = "throwing";
  };
  const Throwing dataset;
  Loader loader(dataset, kRecipe, {});
  loader.start(0);
  const auto batch = loader.next();
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().code, ErrorCode::kInternal);
  EXPECT_EQ(batch.error().got, "boom");
}

TEST(Loader, bad_options_are_errors_of_next) {
  const FakeDataset dataset(3);
  const auto problem = [&](const LoaderOptions& options, const Preprocess& recipe) {
    Loader loader(dataset, recipe, options);
    loader.start(0);
    const auto batch = loader.next();
    return batch.ok() ? std::string() : batch.error().message();
  };
  EXPECT_EQ(problem({}, kRecipe), "");
  EXPECT_NE(problem({.batch = 0}, kRecipe).find("batch"), std::string::npos);
  EXPECT_NE(problem({.workers = 0}, kRecipe).find("workers"), std::string::npos);
  EXPECT_NE(problem({.prefetch = 0}, kRecipe).find("prefetch"), std::string::npos);
  EXPECT_NE(problem({.augmentation = Augmentation{.pad_crop = -1}}, kRecipe).find("pad_crop"), std::string::npos);
  EXPECT_NE(problem({}, Preprocess{}).find("normalization"), std::string::npos);
}

TEST(Loader, next_before_start_is_an_error) {
  const FakeDataset dataset(3);
  Loader loader(dataset, kRecipe, {});
  EXPECT_EQ(loader.next().error().code, ErrorCode::kInvalidArgument);
}

TEST(Augment, shifts_with_zeros_and_mirrors) {
  const std::vector<std::uint8_t> in = {1, 2, 3, 4, 5, 6};  // 2 x 3
  std::vector<std::uint8_t> out(6);
  const internal::ImageSize size{.height = 2, .width = 3, .channels = 1};
  const auto changed = [&](const internal::Change& change) {
    std::fill(out.begin(), out.end(), std::uint8_t{99});
    internal::apply_change(change, size, in.data(), out.data());
    return out;
  };
  using Pixels = std::vector<std::uint8_t>;
  EXPECT_EQ(changed({}), in);
  EXPECT_EQ(changed({.down = 1}), (Pixels{4, 5, 6, 0, 0, 0}));
  EXPECT_EQ(changed({.right = -1}), (Pixels{0, 1, 2, 0, 4, 5}));
  EXPECT_EQ(changed({.right = 2}), (Pixels{3, 0, 0, 6, 0, 0}));
  EXPECT_EQ(changed({.flip = true}), (Pixels{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(changed({.down = -1, .right = 1, .flip = true}), (Pixels{0, 0, 0, 0, 3, 2}));
  EXPECT_EQ(changed({.down = 5, .right = 9}), Pixels(6, 0));
  EXPECT_EQ(changed({.cut = 2, .cut_y = -1, .cut_x = 1}), (Pixels{1, 128, 128, 4, 5, 6})) << "half of the square lies outside";
  EXPECT_EQ(changed({.cut = 9, .cut_y = -4, .cut_x = -4}), Pixels(6, 128));
}

TEST(Augment, mirrors_pixels_not_bytes) {
  const std::vector<std::uint8_t> in = {1, 2, 3, 4, 5, 6};
  std::vector<std::uint8_t> out(6);
  internal::apply_change({.flip = true}, {.height = 1, .width = 2, .channels = 3}, in.data(), out.data());
  EXPECT_EQ(out, (std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3}));
}

TEST(Augment, draws_every_offset_and_side) {
  std::set<std::tuple<std::int64_t, std::int64_t, bool>> seen;
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto change =
        internal::draw_change({.pad_crop = 2, .flip = true}, {.height = 4, .width = 4, .channels = 1}, {.seed = 1, .epoch = 0, .index = i});
    seen.insert({change.down, change.right, change.flip});
  }
  EXPECT_EQ(seen.size(), 50U);
  EXPECT_TRUE(seen.contains({-2, 2, true}));
}

TEST(Augment, cuts_around_every_pixel_and_leaves_the_other_draws_alone) {
  const internal::ImageSize size{.height = 3, .width = 4, .channels = 1};
  std::set<std::pair<std::int64_t, std::int64_t>> middles;
  for (std::size_t i = 0; i < 2000; ++i) {
    const internal::DrawKey key{.seed = 1, .epoch = 0, .index = i};
    const auto change = internal::draw_change({.pad_crop = 2, .flip = true, .cutout = 2}, size, key);
    const auto plain = internal::draw_change({.pad_crop = 2, .flip = true}, size, key);
    EXPECT_EQ(std::tuple(change.down, change.right, change.flip), std::tuple(plain.down, plain.right, plain.flip));
    EXPECT_EQ(plain.cut, 0);
    middles.insert({change.cut_y + 1, change.cut_x + 1});
  }
  EXPECT_EQ(middles.size(), 12U);
}

TEST(OrderedQueue, gives_items_in_ticket_order) {
  internal::OrderedQueue<int> queue(3, 2);
  const auto a = queue.claim();
  const auto b = queue.claim();
  ASSERT_TRUE(a && b);
  queue.put(*b, 11);
  queue.put(*a, 10);
  EXPECT_EQ(queue.take(), 10);
  EXPECT_EQ(queue.take(), 11);
  queue.put(*queue.claim(), 12);
  EXPECT_EQ(queue.claim(), std::nullopt) << "no ticket left";
  EXPECT_EQ(queue.take(), 12);
  EXPECT_EQ(queue.take(), std::nullopt);
}

TEST(OrderedQueue, close_wakes_who_waits) {
  internal::OrderedQueue<int> queue(9, 1);
  ASSERT_TRUE(queue.claim());
  std::thread maker([&] { EXPECT_EQ(queue.claim(), std::nullopt); });
  std::thread taker([&] { EXPECT_EQ(queue.take(), std::nullopt); });
  std::this_thread::sleep_for(10ms);
  queue.close();
  maker.join();
  taker.join();
}

}  // namespace
}  // namespace hedge::data
