#include "hedge/c.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "hedge/runtime.h"

struct hedge_runtime {
  hedge::Runtime runtime;
};

namespace {

using hedge::Error;
using hedge::ErrorCode;
using hedge::Result;
using hedge::Status;

/// Copies what fits, with a final 0; never cuts a UTF-8 character in two.
template <std::size_t N>
void copy_text(std::string_view text, char (&out)[N]) {
  std::size_t size = std::min(text.size(), N - 1);
  if (size < text.size())
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  std::memcpy(out, text.data(), size);
  out[size] = '\0';
}

hedge_code fail(hedge_error* error, ErrorCode code, std::string_view message) {
  if (error != nullptr) {
    error->code = static_cast<std::int32_t>(code);
    copy_text(message, error->message);
  }
  return static_cast<hedge_code>(code);
}

/// Runs `body`, which gives a Status, and keeps every exception in.
template <typename Body>
hedge_code guarded(hedge_error* error, const Body& body) noexcept {
  try {
    const Status status = body();
    return status ? HEDGE_OK : fail(error, status.error().code, status.error().message());
  } catch (const std::bad_alloc&) {
    return fail(error, ErrorCode::kInternal, "out of memory");
  } catch (const std::exception& exception) {
    return fail(error, ErrorCode::kInternal, exception.what());
  } catch (...) {
    return fail(error, ErrorCode::kInternal, "an unknown exception");
  }
}

Status check_given(const void* pointer, const char* argument) {
  if (pointer != nullptr) return {};
  return Error{.code = ErrorCode::kInvalidArgument, .what = "NULL is not allowed", .where = argument};
}

/// The caller's struct may be of an older version (shorter) or of a newer one (longer), but has a size that holds something.
template <typename Struct>
Status check_struct(const Struct* given, const char* argument, const char* init) {
  HEDGE_CHECK(check_given(given, argument));
  if (given->size > sizeof(std::size_t)) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "the struct has no size",
               .where = argument,
               .hint = std::string("start it with ") + init};
}

/// Writes as much of `value` as the caller's version has; its size stays.
template <typename Struct>
void give(const Struct& value, Struct* out) {
  const std::size_t size = out->size;
  std::memcpy(out, &value, std::min(size, sizeof(Struct)));
  out->size = size;
}

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

hedge::RuntimeOptions to_options(const hedge_options& given) {
  hedge::RuntimeOptions options{.bundle = text_or_empty(given.bundle), .threads = given.threads, .throughput = given.throughput != 0};
  if (given.cloud_address != nullptr) {
    options.cloud = hedge::CloudConnection{.address = given.cloud_address,
                                           .deadline_ms = given.deadline_ms,
                                           .tls = given.tls != 0,
                                           .tls_files = {.ca = text_or_empty(given.tls_ca),
                                                         .certificate = text_or_empty(given.tls_certificate),
                                                         .key = text_or_empty(given.tls_key)},
                                           .tls_server_name = text_or_empty(given.tls_server_name),
                                           .failures_to_open = given.failures_to_open,
                                           .probe_interval_ms = given.probe_interval_ms,
                                           .accept_other_global = given.accept_other_global != 0};
  }
  if (given.log != nullptr) {
    options.log = [log = given.log, user = given.log_user](hedge::LogLevel level, const std::string& message) {
      log(static_cast<std::int32_t>(level), message.c_str(), user);
    };
  }
  return options;
}

/// Calls `answer_one` with the runtime and gives its answer to the caller.
template <typename AnswerOne>
hedge_code answer_with(hedge_runtime* runtime, hedge_answer* out, hedge_error* error, const AnswerOne& answer_one) noexcept {
  return guarded(error, [&]() -> Status {
    HEDGE_CHECK(check_given(runtime, "runtime"));
    HEDGE_CHECK(check_struct(out, "answer", "HEDGE_ANSWER_INIT"));
    HEDGE_TRY(const hedge::Answer answer, answer_one(runtime->runtime));
    hedge_answer given = HEDGE_ANSWER_INIT;
    given.label_index = answer.label_index;
    given.label = runtime->runtime.labels()[static_cast<std::size_t>(answer.label_index)].c_str();
    given.source = static_cast<std::int32_t>(answer.source);
    given.score = answer.score;
    given.wants_cloud = answer.wants_cloud ? 1 : 0;
    copy_text(answer.reason, given.reason);
    given.preprocess_ms = answer.times_ms.preprocess;
    given.base_ms = answer.times_ms.base;
    given.router_ms = answer.times_ms.router;
    given.cloud_ms = answer.times_ms.cloud;
    given.total_ms = answer.times_ms.total;
    give(given, out);
    return {};
  });
}

}  // namespace

const char* hedge_version(void) { return hedge::version(); }

hedge_code hedge_open(const hedge_options* options, hedge_runtime** runtime, hedge_error* error) {
  return guarded(error, [&]() -> Status {
    HEDGE_CHECK(check_struct(options, "options", "HEDGE_OPTIONS_INIT"));
    HEDGE_CHECK(check_given(runtime, "runtime"));
    hedge_options whole = HEDGE_OPTIONS_INIT;
    std::memcpy(&whole, options, std::min(options->size, sizeof whole));
    HEDGE_TRY(auto opened, hedge::Runtime::open(to_options(whole)));
    *runtime = new hedge_runtime{std::move(opened)};
    return {};
  });
}

void hedge_close(hedge_runtime* runtime) { delete runtime; }

hedge_code hedge_answer_file(hedge_runtime* runtime, const char* path, hedge_answer* answer, hedge_error* error) {
  return answer_with(runtime, answer, error, [&](const hedge::Runtime& opened) -> Result<hedge::Answer> {
    HEDGE_CHECK(check_given(path, "path"));
    return opened.answer(std::filesystem::path(path));
  });
}

hedge_code hedge_answer_encoded(hedge_runtime* runtime, const void* bytes, size_t size, hedge_answer* answer, hedge_error* error) {
  return answer_with(runtime, answer, error, [&](const hedge::Runtime& opened) -> Result<hedge::Answer> {
    HEDGE_CHECK(check_given(bytes, "bytes"));
    return opened.answer(std::span(static_cast<const std::byte*>(bytes), size));
  });
}

hedge_code hedge_answer_pixels(hedge_runtime* runtime, const uint8_t* pixels, int64_t height, int64_t width, int64_t channels,
                               hedge_answer* answer, hedge_error* error) {
  return answer_with(runtime, answer, error, [&](const hedge::Runtime& opened) -> Result<hedge::Answer> {
    HEDGE_CHECK(check_given(pixels, "pixels"));
    HEDGE_TRY(const auto image, hedge::data::copy_image(pixels, {.height = height, .width = width, .channels = channels}));
    return opened.answer(image);
  });
}

size_t hedge_label_count(const hedge_runtime* runtime) { return runtime == nullptr ? 0 : runtime->runtime.labels().size(); }

const char* hedge_label(const hedge_runtime* runtime, size_t index) {
  return index < hedge_label_count(runtime) ? runtime->runtime.labels()[index].c_str() : nullptr;
}

hedge_code hedge_read_statistics(const hedge_runtime* runtime, hedge_statistics* statistics, hedge_error* error) {
  return guarded(error, [&]() -> Status {
    HEDGE_CHECK(check_given(runtime, "runtime"));
    HEDGE_CHECK(check_struct(statistics, "statistics", "HEDGE_STATISTICS_INIT"));
    const auto read = runtime->runtime.statistics();
    hedge_statistics given = HEDGE_STATISTICS_INIT;
    given.answered = read.answered;
    given.errors = read.errors;
    given.edge = read.edge;
    given.cloud = read.cloud;
    given.fallback = read.fallback;
    given.coverage = read.coverage;
    given.mean_ms = read.mean_ms;
    given.p50_ms = read.p50_ms;
    given.p99_ms = read.p99_ms;
    copy_text(read.alarm, given.alarm);
    give(given, statistics);
    return {};
  });
}
