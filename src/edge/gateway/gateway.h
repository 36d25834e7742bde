#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "edge/cloud.h"
#include "edge/gateway/transport.h"
#include "edge/runtime.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "micro/link.h"
#include "micro/messages.h"

namespace hedge::edge {

struct GatewayOptions {
  micro::LinkOptions link;
  std::chrono::milliseconds device_patience{
      10000};  ///< for a device that says nothing at all while it owes an acknowledgement or an answer; >= 1 ms
  std::chrono::milliseconds remind_every{2000};  ///< an answer that does not come is asked for again so often; >= 1 ms
  std::uint32_t first_id = 0;                    ///< of the images sent; another one a run, so that a device can tell runs apart
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// What the device said of an image, in the words of the edge.
struct DeviceReport {
  std::uint32_t id = 0;  ///< the device's own number of the image, or the gateway's where it was sent one
  Answer answer;
  std::int64_t own_label_index = 0;
  std::uint32_t instructions = 0;  ///< of base and router; 0: the device does not count
  std::uint32_t retries = 0;       ///< frames that the device has sent again since it started
};

/// The other half of a microcontroller's hybrid: speaks with one device over a serial line (docs/formats/serial_frame.md), sends it
/// images to answer or not, and takes its queries to the cloud. Call greet() first, then feed() for each image, or serve() again and
/// again. Not thread-safe. `transport`, the cloud and `clock` must outlive it.
class Gateway {
 public:
  Gateway(Transport& transport, const GatewayOptions& options, const Clock& clock, LogSink log);

  /// Whom to ask from now on. Before, and with nullptr, there is no cloud, and a query is told so.
  void set_cloud(Cloud* cloud) { cloud_ = cloud; }

  /// Asks the device what it is, `within` at most.
  /// Errors: kDeadline (no answer); kUnsupported (it speaks another version of the protocol); those of the transport.
  Result<micro::DeviceInfo> greet(std::chrono::milliseconds within);

  /// Sets the device's threshold. Errors: kInvalidArgument (no number); kDeadline; kUnsupported (the device refuses); those of the
  /// transport.
  Status set_threshold(float threshold);

  /// Sends an image of the device's form (u8 [height, width, channels]) and waits for its answer, serving its query meanwhile.
  /// Errors: kMismatch (of another form); kDeadline (the device is silent); kBadData (an answer that is no
  /// class); those of the transport.
  Result<DeviceReport> feed(const data::Image& image, const std::vector<std::string>& labels);

  /// Serves a device with images of its own: its next answer, or nothing where none came `within`.
  /// Errors: kBadData; those of the transport.
  Result<std::optional<DeviceReport>> serve(std::chrono::milliseconds within, const std::vector<std::string>& labels);

  /// Frames that were sent again, and runs of bytes that were no frame, on this side so far.
  [[nodiscard]] std::uint32_t retries() const { return link_.retries(); }
  [[nodiscard]] std::uint32_t dropped() const { return link_.dropped(); }

 private:
  /// The transport as a Link's port; the first error stays, and then nothing moves any more.
  class Port {
   public:
    Port(Transport& transport, const Clock& clock) : transport_(transport), clock_(clock) {}
    std::size_t read(std::uint8_t* to, std::size_t most);
    void write(const std::uint8_t* bytes, std::size_t size);
    std::uint32_t now_ms();
    void wait(std::uint32_t most_ms);
    [[nodiscard]] const Status& status() const { return status_; }

   private:
    Transport& transport_;
    const Clock& clock_;
    Status status_;
    std::uint32_t skipped_ms_ = 0;
  };

  /// An image on its way to the cloud.
  struct Query {
    bool open = false;   ///< its answer has not come yet
    bool ready = false;  ///< whole, and not asked yet
    std::uint32_t id = 0;
    micro::ImageForm form;
    std::vector<std::uint8_t> pixels;  ///< what has come of it
    std::string failure;               ///< what the cloud said, where nothing came of it
    double cloud_ms = 0;
  };

  auto handler() {
    return [this](const micro::Frame& frame) { handle(frame); };
  }
  void handle(const micro::Frame& frame);
  void take_info(const micro::Frame& frame);
  void take_query(const micro::Frame& frame);
  void take_answer(const micro::Frame& frame);
  void ask_cloud();
  micro::CloudReply query_cloud();
  Status send_pieces(std::uint32_t id, const data::Image& image);
  Status send_piece(std::uint32_t id, const data::Image& image, std::uint32_t offset, TimePoint deadline, bool& again);
  void remind(std::uint32_t id, const data::Image& image);
  [[nodiscard]] bool heard_of(std::uint32_t id) const;
  Result<DeviceReport> report_of(const micro::DeviceAnswer& answer, const std::vector<std::string>& labels);

  GatewayOptions options_;
  Cloud* cloud_ = nullptr;
  const Clock& clock_;
  LogSink log_;
  Port port_;
  micro::Link<Port> link_;
  std::uint32_t next_id_;
  std::optional<micro::DeviceInfo> info_;
  std::uint16_t hello_ = 0;  ///< sequence number of the last greeting
  Query query_;
  std::deque<micro::DeviceAnswer> answers_;                             ///< not handed out yet
  std::optional<std::pair<std::uint32_t, std::uint16_t>> last_answer_;  ///< image and sequence number, to know a repetition
};

}  // namespace hedge::edge
