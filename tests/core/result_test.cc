#include "hedge/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace hedge {
namespace {

Result<int> halved(int n) {
  if (n % 2 != 0) return Error{.code = ErrorCode::kInvalidArgument, .what = "odd", .got = std::to_string(n)};
  return n / 2;
}

Result<int> quartered(int n) {
  HEDGE_TRY(const int half, halved(n));
  HEDGE_TRY(const int quarter, halved(half));
  return quarter;
}

Status require_quarter(int n, bool& went_on) {
  HEDGE_CHECK([n]() -> Status {
    if (auto quarter = quartered(n); !quarter) return std::move(quarter).error();
    return {};
  }());
  went_on = true;
  return {};
}

TEST(Result, holds_a_value_or_an_error) {
  const auto good = halved(8);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 4);
  const auto bad = halved(7);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(bad.error().got, "7");
}

TEST(Result, try_gives_the_value_or_returns_the_first_error) {
  EXPECT_EQ(quartered(8).value(), 2);
  EXPECT_EQ(quartered(6).error().got, "3");
  EXPECT_EQ(quartered(5).error().got, "5");
}

TEST(Result, check_goes_on_only_without_error) {
  bool went_on = false;
  EXPECT_FALSE(require_quarter(6, went_on).ok());
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(require_quarter(12, went_on).ok());
  EXPECT_TRUE(went_on);
}

TEST(Result, carries_values_that_only_move) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 3);
}

TEST(Error, message_leaves_empty_parts_out) {
  EXPECT_EQ((Error{.what = "broken"}).message(), "broken");
  EXPECT_EQ((Error{.what = "broken", .where = "a.onnx"}).message(), "a.onnx: broken");
  EXPECT_EQ((Error{.what = "broken", .got = "1"}).message(), "broken (got 1)");
  EXPECT_EQ((Error{.what = "broken", .expected = "2"}).message(), "broken (expected 2)");
  EXPECT_EQ((Error{.what = "broken", .where = "a.onnx", .got = "1", .expected = "2", .hint = "mend it"}).message(),
            "a.onnx: broken (got 1, expected 2); mend it");
}

// Command lines exit with these values, and logs carry the names: neither may change or repeat.
TEST(ErrorCode, values_and_names_are_stable) {
  const std::pair<ErrorCode, std::pair<int, const char*>> codes[] = {{ErrorCode::kInvalidArgument, {2, "invalid_argument"}},
                                                                     {ErrorCode::kNotFound, {3, "not_found"}},
                                                                     {ErrorCode::kBadFormat, {4, "bad_format"}},
                                                                     {ErrorCode::kUnsupported, {5, "unsupported"}},
                                                                     {ErrorCode::kMismatch, {6, "mismatch"}},
                                                                     {ErrorCode::kIo, {7, "io"}},
                                                                     {ErrorCode::kUnreachable, {8, "unreachable"}},
                                                                     {ErrorCode::kUnavailable, {9, "unavailable"}},
                                                                     {ErrorCode::kDeadline, {10, "deadline"}},
                                                                     {ErrorCode::kCancelled, {11, "cancelled"}},
                                                                     {ErrorCode::kBadData, {12, "bad_data"}},
                                                                     {ErrorCode::kAlarm, {13, "alarm"}},
                                                                     {ErrorCode::kInternal, {70, "internal"}}};
  for (const auto& [code, expected] : codes) {
    EXPECT_EQ(static_cast<int>(code), expected.first);
    EXPECT_STREQ(to_string(code), expected.second);
  }
}

}  // namespace
}  // namespace hedge
