#include "edge/gateway/gateway.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "edge/gateway/internal/words.h"

namespace hedge::edge {
namespace {

using micro::AnswerReason;
using micro::Bytes;
using micro::Delivery;
using micro::Frame;
using micro::FrameType;
using micro::NackReason;
using std::chrono::milliseconds;

constexpr std::size_t kMostWaitingAnswers = 64;

milliseconds since(TimePoint start, const Clock& clock) { return std::chrono::duration_cast<milliseconds>(clock.now() - start); }

micro::ImageForm form_of(const data::Image& image) {
  return {.height = static_cast<std::uint16_t>(image.height),
          .width = static_cast<std::uint16_t>(image.width),
          .channels = static_cast<std::uint8_t>(image.channels)};
}

std::string to_string(const micro::ImageForm& form) { return "u8 " + hedge::to_string(Shape{form.height, form.width, form.channels}); }

bool same_form(const data::Image& image, const micro::ImageForm& form) {
  return image.height == form.height && image.width == form.width && image.channels == form.channels && image.pixels.size() == form.bytes();
}

Error device_silent(milliseconds patience) {
  return {.code = ErrorCode::kDeadline,
          .what = "the device is silent",
          .got = "nothing for " + std::to_string(patience.count()) + " ms",
          .hint = "is it running, at the same baud rate, with firmware that speaks version " + std::to_string(micro::kFrameVersion) +
                  " of the protocol?"};
}

}  // namespace

Status GatewayOptions::validate() const {
  const auto refuse = [](const char* what) { return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = "gateway"}; };
  if (link.retry_ms < 1 || link.tries < 1) return refuse("a frame needs at least one attempt and a millisecond");
  if (device_patience.count() < 1 || remind_every.count() < 1) return refuse("the waits for the device are too short");
  return {};
}

std::size_t Gateway::Port::read(std::uint8_t* to, std::size_t most) {
  if (!status_) return 0;
  const auto came = transport_.read(to, most);
  if (!came) status_ = came.error();
  return came ? *came : 0;
}

void Gateway::Port::write(const std::uint8_t* bytes, std::size_t size) {
  if (status_) status_ = transport_.write(bytes, size);
}

std::uint32_t Gateway::Port::now_ms() {
  return skipped_ms_ + static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(clock_.now().time_since_epoch()).count());
}

void Gateway::Port::wait(std::uint32_t most_ms) {
  if (status_)
    transport_.wait(milliseconds(most_ms));
  else
    skipped_ms_ += most_ms;  // a line that is gone says nothing more: the waits run out at once
}

Gateway::Gateway(Transport& transport, const GatewayOptions& options, const Clock& clock, LogSink log)
    : options_(options),
      clock_(clock),
      log_(std::move(log)),
      port_(transport, clock),
      link_(port_, options.link, static_cast<std::uint16_t>(options.first_id)),
      next_id_(options.first_id) {}

Result<micro::DeviceInfo> Gateway::greet(milliseconds within) {
  const auto start = clock_.now();
  info_.reset();
  while (!info_ && port_.status() && since(start, clock_) < within) {
    hello_ = link_.next_sequence();
    link_.send(FrameType::kHello, hello_, {});
    link_.await(
        options_.link.retry_ms, [this] { return info_.has_value() || !port_.status(); }, handler());
  }
  HEDGE_CHECK(port_.status());
  if (!info_ && link_.last_drop() == micro::DropReason::kVersion)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the device speaks another version of the protocol",
                 .expected = std::to_string(micro::kFrameVersion),
                 .hint = "build firmware and gateway from the same release"};
  if (!info_) return device_silent(within);
  return *info_;
}

Status Gateway::set_threshold(float threshold) {
  if (std::isnan(threshold)) return Error{.code = ErrorCode::kInvalidArgument, .what = "the threshold is not a number"};
  std::uint8_t payload[4];
  const auto delivery = link_.deliver(FrameType::kThreshold, micro::FieldWriter(payload).f32(threshold).bytes(), {}, handler());
  HEDGE_CHECK(port_.status());
  if (delivery == Delivery::kLost) return device_silent(milliseconds(options_.link.retry_ms * options_.link.tries));
  if (delivery == Delivery::kRefused) return Error{.code = ErrorCode::kUnsupported, .what = "the device refuses to set its threshold"};
  return {};
}

void Gateway::handle(const Frame& frame) {
  switch (frame.type) {
    case FrameType::kDevice: return take_info(frame);
    case FrameType::kQuery: return take_query(frame);
    case FrameType::kAnswer: return take_answer(frame);
    default: return link_.refuse(frame, NackReason::kUnsupported);
  }
}

void Gateway::take_info(const Frame& frame) {
  micro::DeviceInfo info;
  if (frame.sequence == hello_ && micro::DeviceInfo::read(frame, info)) info_ = info;
}

void Gateway::take_query(const Frame& frame) {
  micro::ImagePiece piece;
  if (!micro::ImagePiece::read(frame, piece)) return link_.refuse(frame, NackReason::kMalformed);
  if ((info_ && piece.form != info_->form) || (piece.form.channels != 1 && piece.form.channels != 3))
    return link_.refuse(frame, NackReason::kWrongSize);
  const bool present = query_.open && piece.id == query_.id;
  if (present && piece.offset + piece.bytes.size <= query_.pixels.size()) return link_.acknowledge(frame);
  if (piece.offset != (present ? query_.pixels.size() : 0)) return link_.refuse(frame, NackReason::kOutOfOrder);
  if (!present) query_ = {.open = true, .id = piece.id, .form = piece.form};
  query_.pixels.insert(query_.pixels.end(), piece.bytes.data, piece.bytes.data + piece.bytes.size);
  query_.ready = query_.pixels.size() == query_.form.bytes();
  link_.acknowledge(frame);
}

void Gateway::take_answer(const Frame& frame) {
  micro::DeviceAnswer answer;
  if (!micro::DeviceAnswer::read(frame, answer)) return link_.refuse(frame, NackReason::kMalformed);
  link_.acknowledge(frame);
  const std::pair key(answer.id, frame.sequence);
  if (last_answer_ == key) return;  // its acknowledgement was lost
  last_answer_ = key;
  if (query_.id == answer.id) query_.open = query_.ready = false;
  if (answers_.size() == kMostWaitingAnswers) answers_.pop_front();
  answers_.push_back(answer);
}

micro::CloudReply Gateway::query_cloud() {
  micro::CloudReply reply;
  if (cloud_ == nullptr) {
    reply.outcome = AnswerReason::kNoCloud;
  } else {
    const auto logits = cloud_->logits(
        {.height = query_.form.height, .width = query_.form.width, .channels = query_.form.channels, .pixels = query_.pixels});
    if (logits) {
      reply = words::rank(*logits);
    } else {
      query_.failure = failure_reason(logits.error());
      reply.outcome = words::outcome_of(logits.error());
    }
  }
  reply.id = query_.id;
  return reply;
}

void Gateway::ask_cloud() {
  const auto start = clock_.now();
  query_.ready = false;
  const auto reply = query_cloud();
  query_.cloud_ms = seconds_between(start, clock_.now()) * 1e3;
  std::uint8_t payload[micro::CloudReply::kMostBytes];
  if (link_.deliver(FrameType::kCloud, reply.write(payload), {}, handler()) == Delivery::kLost)
    hedge::log(log_, LogLevel::kWarning, "the device did not take the cloud's answer for image " + std::to_string(reply.id));
}

bool Gateway::heard_of(std::uint32_t id) const {
  const bool asked = query_.open && query_.id == id;
  return asked || std::any_of(answers_.begin(), answers_.end(), [id](const auto& answer) { return answer.id == id; });
}

Status Gateway::send_piece(std::uint32_t id, const data::Image& image, std::uint32_t offset, TimePoint deadline, bool& again) {
  std::uint8_t head[micro::ImagePiece::kHeadBytes];
  const micro::ImagePiece piece{.id = id, .form = form_of(image), .offset = offset};
  const Bytes body{image.pixels.data() + offset, std::min(image.pixels.size() - offset, micro::ImagePiece::kMostBytes)};
  for (;;) {
    const auto delivery = link_.deliver(FrameType::kImage, piece.write_head(head), body, handler());
    HEDGE_CHECK(port_.status());
    if (query_.ready) ask_cloud();
    if (delivery == Delivery::kAcknowledged || heard_of(id)) return {};
    if (delivery == Delivery::kRefused && link_.refusal() == NackReason::kOutOfOrder) {
      again = true;
      return {};
    }
    if (delivery == Delivery::kRefused)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the device does not take this image",
                   .got = to_string(form_of(image)),
                   .expected = info_ ? to_string(info_->form) : ""};
    if (clock_.now() >= deadline) return device_silent(options_.device_patience);
  }
}

/// All of it; from the start where the device has lost its place.
Status Gateway::send_pieces(std::uint32_t id, const data::Image& image) {
  const auto deadline = clock_.now() + options_.device_patience;
  for (std::size_t offset = 0; offset < image.pixels.size();) {
    bool again = false;
    HEDGE_CHECK(send_piece(id, image, static_cast<std::uint32_t>(offset), deadline, again));
    if (again && clock_.now() >= deadline) return device_silent(options_.device_patience);
    offset = again ? 0 : offset + micro::ImagePiece::kMostBytes;
  }
  return {};
}

/// The last piece once more: a device that is done says its answer again, one that is at work acknowledges.
void Gateway::remind(std::uint32_t id, const data::Image& image) {
  std::uint8_t head[micro::ImagePiece::kHeadBytes];
  const std::size_t last = (image.pixels.size() - 1) / micro::ImagePiece::kMostBytes * micro::ImagePiece::kMostBytes;
  const micro::ImagePiece piece{.id = id, .form = form_of(image), .offset = static_cast<std::uint32_t>(last)};
  link_.send(FrameType::kImage, link_.next_sequence(), piece.write_head(head), {image.pixels.data() + last, image.pixels.size() - last});
}

Result<DeviceReport> Gateway::feed(const data::Image& image, const std::vector<std::string>& labels) {
  if (info_ && !same_form(image, info_->form))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the device takes other images",
                 .got = to_string(form_of(image)),
                 .expected = to_string(info_->form)};
  const std::uint32_t id = next_id_++;
  const auto start = clock_.now();
  answers_.clear();
  HEDGE_CHECK(send_pieces(id, image));
  auto heard = link_.received();
  auto quiet_since = clock_.now();
  while (since(quiet_since, clock_) < options_.device_patience) {
    const auto wait = static_cast<std::uint32_t>(options_.remind_every.count());
    const bool stirred = link_.await(
        wait, [&] { return query_.ready || !answers_.empty() || !port_.status(); }, handler());
    HEDGE_CHECK(port_.status());
    if (query_.ready) ask_cloud();
    while (!answers_.empty()) {
      const auto answer = answers_.front();
      answers_.pop_front();
      if (answer.id != id) continue;  // of an earlier run
      HEDGE_TRY(auto report, report_of(answer, labels));
      report.answer.times_ms.total = seconds_between(start, clock_.now()) * 1e3;
      return report;
    }
    if (heard != link_.received()) {
      heard = link_.received();
      quiet_since = clock_.now();
    }
    if (!stirred) remind(id, image);
  }
  return device_silent(options_.device_patience);
}

Result<std::optional<DeviceReport>> Gateway::serve(milliseconds within, const std::vector<std::string>& labels) {
  link_.await(
      static_cast<std::uint32_t>(within.count()), [this] { return query_.ready || !answers_.empty() || !port_.status(); }, handler());
  HEDGE_CHECK(port_.status());
  if (query_.ready) ask_cloud();
  if (answers_.empty()) return std::optional<DeviceReport>();
  const auto answer = answers_.front();
  answers_.pop_front();
  HEDGE_TRY(auto report, report_of(answer, labels));
  return std::optional(std::move(report));
}

Result<DeviceReport> Gateway::report_of(const micro::DeviceAnswer& answer, const std::vector<std::string>& labels) {
  if (answer.label >= labels.size() || answer.own_label >= labels.size())
    return Error{.code = ErrorCode::kBadData,
                 .what = "the device's answer is not one of the classes",
                 .got = std::to_string(std::max(answer.label, answer.own_label)),
                 .expected = "below " + std::to_string(labels.size())};
  const bool asked = answer.id == query_.id;
  DeviceReport report{.id = answer.id, .own_label_index = answer.own_label, .instructions = answer.instructions, .retries = answer.retries};
  report.answer = {.label_index = answer.label,
                   .label = labels[answer.label],
                   .source = words::source_of(answer.source),
                   .score = answer.score,
                   .wants_cloud = answer.wants_cloud,
                   .reason = words::reason_text(answer.reason, asked ? query_.failure : "")};
  if (asked && answer.wants_cloud) report.answer.times_ms.cloud = query_.cloud_ms;
  return report;
}

}  // namespace hedge::edge
