// The device arithmetic against TFLite's reference arithmetic, and both packings against each other.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "micro/exact.h"
#include "micro/kernel_cases.h"

namespace hedge::micro {
namespace {

using testing::Random;

/// The bound: outputs of a layer, from identical inputs, that may differ, and by how much.
constexpr double kMostDifferent = 0.005;
constexpr int kMostDifference = 1;

struct Difference {
  std::int64_t outputs = 0, different = 0;
  int most = 0;
  void add(int device, int exact) {
    ++outputs;
    different += device != exact ? 1 : 0;
    most = std::max(most, std::abs(device - exact));
  }
  [[nodiscard]] double share() const { return static_cast<double>(different) / static_cast<double>(outputs); }
};

/// Sums as a layer of `depth` products makes them, at a scale that fills int8.
Difference requantize_layer(Random& random, std::int32_t depth, double spread) {
  Difference difference;
  const double deviation = std::sqrt(depth) * 73.0 * 73.0;
  const double scale = spread / deviation;
  const std::int32_t zero = random.between(-128, 127);
  const std::int8_t weight = 0;
  const std::int32_t bias = 0;
  const PackedChannel packed = pack_channel({&weight, &bias, &scale, 0, 1, 0}, 0);
  const auto exact = exact::quantize_multiplier(scale);
  for (int i = 0; i < 20000; ++i) {
    std::int32_t sum = 0;
    for (int k = 0; k < 6; ++k) sum += random.between(-1000000, 1000000) / 1000;
    sum = static_cast<std::int32_t>(sum * deviation / 1414.0);
    const std::int32_t coarse_sum = packed.shift == 0 ? sum : (sum + (1 << (packed.shift - 1))) >> packed.shift;
    difference.add(requantize(coarse_sum, packed.multiplier, zero), exact::requantize(sum, exact, zero, -128, 127));
  }
  return difference;
}

TEST(DeviceArithmetic, differs_from_tflites_by_one_on_few_outputs) {
  Random random(1);
  for (const std::int32_t depth : {9, 27, 49, 96, 480, 2304})
    for (const double spread : {10.0, 40.0, 100.0}) {
      const Difference d = requantize_layer(random, depth, spread);
      EXPECT_LE(d.most, kMostDifference) << depth << " products, deviation " << spread;
      EXPECT_LE(d.share(), kMostDifferent) << depth << " products, deviation " << spread;
    }
}

TEST(DeviceArithmetic, keeps_channels_with_a_tiny_scale_precise) {
  // A nearly dead channel: the bias alone makes the output.
  for (const double scale : {1e-6, 3e-8, 1e-9}) {
    const auto bias = static_cast<std::int32_t>(std::min(37.4 / scale, 2.0e9));
    const std::int8_t weights[2] = {100, -100};
    const PackedChannel packed = pack_channel({weights, &bias, &scale, 2, 1, 0}, 0);
    EXPECT_GT(packed.multiplier, 1 << 13) << scale;
    EXPECT_EQ(requantize(packed.bias, packed.multiplier, 0), static_cast<int>(std::lround(bias * scale))) << scale;
  }
}

TEST(DeviceArithmetic, multiplies_by_more_than_a_half_where_weights_have_room) {
  Random random(3);
  for (int layer = 0; layer < 40; ++layer) {
    const std::int8_t weights[2] = {static_cast<std::int8_t>(random.between(-3, 3)), 2};
    const std::int32_t bias = random.between(-60, 60), zero = random.between(-128, 127), input_zero = random.between(-128, 127);
    const double scale = random.between(500000, 7000000) / 1000003.0;
    const LayerConstants constants{weights, &bias, &scale, 2, 1, input_zero};
    ASSERT_TRUE(can_pack(constants));
    const PackedChannel packed = pack_channel(constants, 0);
    const auto exact = exact::quantize_multiplier(scale);
    Difference d;
    for (int a = -128; a < 128; ++a)
      for (int b = -128; b < 128; b += 5) {
        const std::int32_t sum = packed.bias + a * packed_weight(constants, 0, 0, packed) + b * packed_weight(constants, 0, 1, packed);
        const std::int32_t exact_sum = bias + (a - input_zero) * weights[0] + (b - input_zero) * weights[1];
        d.add(requantize(sum, packed.multiplier, zero), exact::requantize(exact_sum, exact, zero, -128, 127));
      }
    EXPECT_LE(d.most, kMostDifference) << scale;
    EXPECT_LE(d.share(), kMostDifferent) << scale;
  }
}

TEST(DeviceArithmetic, adds_as_tflite_does_but_for_few_ties) {
  Random random(2);
  for (int layer = 0; layer < 40; ++layer) {
    // Scales in a short ratio would make many true ties, which the two break differently; calibrated scales have none.
    const double out_scale = 0.05, a_scale = out_scale * random.between(100000, 1600000) / 1000003;
    const double b_scale = out_scale * random.between(100000, 1600000) / 999983;
    const std::int32_t a_zero = random.between(-128, 127), b_zero = random.between(-128, 127), zero = random.between(-128, 127);
    AddConstants constants;
    ASSERT_TRUE(pack_add(a_scale, a_zero, b_scale, b_zero, out_scale, zero, &constants));
    const auto exact = exact::add_constants(a_scale, a_zero, b_scale, b_zero, out_scale, zero);
    Difference d;
    for (int a = -128; a < 128; ++a)
      for (int b = -128; b < 128; ++b) {
        const auto x = static_cast<std::int8_t>(a), y = static_cast<std::int8_t>(b);
        d.add(add_one(x, y, constants), exact::add(x, y, exact, -128, 127));
      }
    EXPECT_LE(d.most, kMostDifference) << a_scale << " " << b_scale;
    EXPECT_LE(d.share(), kMostDifferent) << a_scale << " " << b_scale;
  }
}

TEST(ExactArithmetic, rounds_twice_as_the_specification_says) {
  EXPECT_EQ(exact::quantize_multiplier(0.75).mantissa, 0x60000000);
  EXPECT_EQ(exact::quantize_multiplier(0.75).shift, 0);
  EXPECT_EQ(exact::quantize_multiplier(3).shift, 2);
  EXPECT_EQ(exact::quantize_multiplier(0).mantissa, 0);
  EXPECT_EQ(exact::quantize_multiplier(1e-12).mantissa, 0);
  EXPECT_EQ(exact::multiply(5, exact::quantize_multiplier(0.5)), 3);
  EXPECT_EQ(exact::multiply(-5, exact::quantize_multiplier(0.5)), -2) << "the high multiply's ties go up";
  EXPECT_EQ(exact::rounding_shift_right(-5, 1), -3) << "the shift's ties go away from zero";
  EXPECT_EQ(exact::multiply(1000000, exact::quantize_multiplier(2.5)), 2500000);
  EXPECT_EQ(exact::mean(5, 2), 3);
  EXPECT_EQ(exact::mean(-5, 2), -3);
}

TEST(Packing, refuses_scales_that_no_multiplier_holds) {
  const std::int8_t full[2] = {127, -3}, small[2] = {-31, 15};
  const std::int32_t bias = 0;
  const double good = 0.49, large = 0.5, larger = 1.99, largest = 2.0, negative = -0.1;
  const auto packs = [&](const std::int8_t* weights, const double* scale) { return can_pack({weights, &bias, scale, 2, 1, 0}); };
  EXPECT_TRUE(packs(full, &good));
  EXPECT_FALSE(packs(full, &large)) << "no room to double the weight 127";
  EXPECT_TRUE(packs(small, &large) && packs(small, &larger)) << "room for two doublings";
  EXPECT_FALSE(packs(small, &largest));
  EXPECT_FALSE(packs(small, &negative));
  AddConstants constants;
  EXPECT_FALSE(pack_add(0.8, 0, 0.1, 0, 0.1, 0, &constants));
  EXPECT_TRUE(pack_add(0.79, 0, 0.1, 0, 0.1, 0, &constants));
}

TEST(Packing, of_both_layouts_gives_the_same_bytes) {
  const auto w = std::make_unique<testing::Workspace>();
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const std::int32_t depth = random.between(1, 70), channels = random.between(1, 30);
    const LayerConstants layer = testing::random_layer(random, *w, 0, depth, channels, false);
    random.fill(w->in, 3 * depth);
    const auto run = [&](auto layout, std::int8_t* out) {
      ASSERT_LE(matrix_stream_bytes(layout.value, depth, channels), static_cast<std::int32_t>(sizeof w->stream[0]));
      pack_matrix(layout.value, layer, w->stream[0]);
      internal::portable_group<layout.value>({w->stream[0], w->in, depth, channels, 5, 3}, internal::Output<std::int8_t>{out, channels, 1});
    };
    run(std::integral_constant<Layout, Layout::kWords>(), w->expected);
    run(std::integral_constant<Layout, Layout::kVectors>(), w->got);
    ASSERT_EQ(std::memcmp(w->expected, w->got, static_cast<std::size_t>(3 * channels)), 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hedge::micro
