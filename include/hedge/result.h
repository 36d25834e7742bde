#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "hedge/api.h"

namespace hedge {

/// What kind of thing went wrong. The values are stable: the command lines exit with them.
enum class ErrorCode : int {
  kInvalidArgument = 2,  ///< a flag, option or argument outside its range
  kNotFound = 3,         ///< a file, tensor, node or model that is not there
  kBadFormat = 4,        ///< bytes that do not follow their format (truncated, corrupt, not that format)
  kUnsupported = 5,      ///< well-formed, but outside what is implemented
  kMismatch = 6,         ///< two things that must agree do not (shapes, hashes, splits)
  kIo = 7,               ///< the operating system refused to read or write
  kUnreachable = 8,      ///< no answer meets the request (a target coverage, an accuracy)
  kUnavailable = 9,      ///< a peer that is dead, late or refuses
  kDeadline = 10,        ///< the time given ran out
  kCancelled = 11,       ///< stopped on request; what was done is kept
  kBadData = 12,         ///< values that cannot be used (NaN, a single class, an empty split)
  kAlarm = 13,           ///< it runs, but the images show that it is wrong (a model at chance, another convention clearly better)
  kInternal = 70,        ///< a bug of ours, or a vendor library's exception
};

/// A stable lower-case name of `code`, for logs and JSON.
HEDGE_API const char* to_string(ErrorCode code);

/// An error: what happened, where, and what was got and expected. Plain value.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string what;      ///< one sentence without a final full stop
  std::string where;     ///< file, node or tensor; may be empty
  std::string got;       ///< may be empty
  std::string expected;  ///< may be empty
  std::string hint;      ///< how to mend it; may be empty

  /// "where: what (got …, expected …); hint" with empty parts left out.
  [[nodiscard]] HEDGE_API std::string message() const;
};

/// A value or an Error. Never both, never neither.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    assert(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    assert(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    assert(!ok());
    return std::get<1>(state_);
  }
  Error&& error() && {
    assert(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    assert(!ok());
    return *error_;
  }
  Error&& error() && {
    assert(!ok());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace hedge

#define HEDGE_CONCAT_INNER(a, b) a##b
#define HEDGE_CONCAT(a, b) HEDGE_CONCAT_INNER(a, b)

/// Evaluates a Result<T>; returns its error from the enclosing function, or assigns its value to `lhs`.
#define HEDGE_TRY(lhs, expr) HEDGE_TRY_INNER(HEDGE_CONCAT(hedge_result_, __LINE__), lhs, expr)
#define HEDGE_TRY_INNER(result, lhs, expr)       \
  auto result = (expr);                          \
  if (!result) return std::move(result).error(); \
  lhs = std::move(result).value()

/// Evaluates a Status; returns its error from the enclosing function.
#define HEDGE_CHECK(expr)                                                                  \
  do {                                                                                     \
    if (auto hedge_status = (expr); !hedge_status) return std::move(hedge_status).error(); \
  } while (false)
