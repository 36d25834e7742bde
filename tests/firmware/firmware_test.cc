// The firmware on QEMU's M7 board, around a model that is none (firmware/standin), against the gateway. Skipped without compiler or QEMU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "core/process.h"
#include "edge/gateway/faulty_transport.h"
#include "edge/gateway/gateway.h"
#include "edge/testing.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int kSide = 28;  // of the stand-in
constexpr std::int64_t kClassesOfStandin = 10;
const std::string kFirmware = std::string(HEDGE_SOURCE_DIR) + "/firmware";

/// The stand-in says class first % 10 with the score second / 255.
data::Image image_of(std::uint8_t first, std::uint8_t second) {
  data::Image image{.height = kSide, .width = kSide, .channels = 1, .pixels = std::vector<std::uint8_t>(kSide * kSide)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 31);
  image.pixels[0] = first;
  image.pixels[1] = second;
  return image;
}

class Firmware : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::temp_directory_path() / ("hedge_firmware_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    auto build = ChildProcess::start({kFirmware + "/build.sh", kFirmware + "/standin", at("firmware.elf")});
    ASSERT_TRUE(build.ok());
    built_ = build->wait();
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }
  void SetUp() override {
    if (built_ == 77) GTEST_SKIP() << "arm-none-eabi-g++ is not installed";
    ASSERT_EQ(built_, 0);
    if (!installed("qemu-system-arm")) GTEST_SKIP() << "qemu-system-arm is not installed";
    labels_.clear();
    for (int i = 0; i < kClassesOfStandin; ++i) labels_.push_back("class" + std::to_string(i));
    cloud_ = cloud_of(std::numeric_limits<int>::max());
  }
  /// A cloud that answers so many queries and is dead from then on.
  std::unique_ptr<Cloud> cloud_of(int answers) {
    auto remote = std::make_unique<testing::FakeRemote>([answers](int call) -> Result<std::vector<Tensor>> {
      if (call >= answers) return testing::dead();
      return testing::logits_of({0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    });
    remote->output_specs = {{"logits", DType::kF32, {-1, kClassesOfStandin}}};
    if (answers == 0) remote->metadata_error = testing::dead();
    return std::make_unique<Cloud>(std::move(remote), JudgedGlobal{.info = testing::tiny_global(), .labels = labels_}, CloudOptions{},
                                   clock_);
  }

  static std::string at(const std::string& name) { return (folder_ / name).string(); }
  static bool installed(const std::string& program) {
    auto which = ChildProcess::start({"/bin/sh", "-c", "command -v " + program}, at("which"));
    return which && which->wait() == 0;
  }
  /// QEMU with its serial line at the socket "line"; what the firmware tells goes to the file "told".
  static ChildProcess boot(const std::string& more = "") {
    fs::remove(at("line"));
    auto child = ChildProcess::start({"/bin/bash", "-c",
                                      "exec " + kFirmware + "/run.sh " + at("firmware.elf") + " unix:" + at("line") +
                                          ",server=on,wait=off " + more + " 2>" + at("told")});
    EXPECT_TRUE(child.ok());
    return std::move(child).value();
  }
  std::unique_ptr<Transport> connect(double faults = 0) {
    auto line = open_serial("unix:" + at("line"), {}, clock_);
    EXPECT_TRUE(line.ok()) << line.error().message();
    return std::make_unique<FaultyTransport>(std::move(line).value(), FaultOptions{.share = faults, .seed = 5});
  }
  std::unique_ptr<Gateway> gateway_on(Transport& transport) {
    auto gateway = std::make_unique<Gateway>(
        transport, GatewayOptions{.device_patience = 60s, .first_id = static_cast<std::uint32_t>(::getpid())}, clock_, nullptr);
    gateway->set_cloud(cloud_.get());
    return gateway;
  }

  static fs::path folder_;
  static int built_;
  SteadyClock clock_;
  std::vector<std::string> labels_;
  std::unique_ptr<Cloud> cloud_;
};
fs::path Firmware::folder_;
int Firmware::built_ = -1;

TEST_F(Firmware, answers_over_the_line_and_counts_its_instructions_exactly) {
  auto qemu = boot();
  const auto line = connect();
  const auto gateway = gateway_on(*line);
  const auto info = gateway->greet(20s);
  ASSERT_TRUE(info.ok()) << info.error().message() << "; QEMU said: " << read_file(at("told")).value();
  EXPECT_EQ(info->form, (micro::ImageForm{kSide, kSide, 1}));
  EXPECT_EQ(info->classes, kClassesOfStandin);
  std::uint32_t counted = 0;
  for (int i = 0; i < 12; ++i) {
    const auto report =
        gateway->feed(image_of(static_cast<std::uint8_t>(3 * i), static_cast<std::uint8_t>(i % 3 == 2 ? 200 : 100)), labels_);
    ASSERT_TRUE(report.ok()) << report.error().message();
    EXPECT_EQ(report->own_label_index, 3 * i % 10);
    EXPECT_EQ(report->answer.source, i % 3 == 2 ? Source::kCloud : Source::kEdge);
    EXPECT_EQ(report->answer.label_index, i % 3 == 2 ? 9 : 3 * i % 10);
    EXPECT_GT(report->instructions, 0U);
    if (counted == 0) counted = report->instructions;
    EXPECT_NEAR(report->instructions, counted, 1) << "the stand-in has no branches";
  }
  ASSERT_TRUE(gateway->set_threshold(0.1F).ok());
  EXPECT_EQ(gateway->feed(image_of(1, 100), labels_)->answer.source, Source::kCloud);
  qemu.signal(SIGKILL);
  EXPECT_EQ(gateway->feed(image_of(1, 100), labels_).error().code, ErrorCode::kUnavailable);
}

TEST_F(Firmware, with_30_percent_of_frames_dropped_or_corrupted_every_image_is_answered) {
  auto qemu = boot();
  const auto line = connect(0.3);
  const auto gateway = gateway_on(*line);
  ASSERT_TRUE(gateway->greet(30s).ok());
  for (int i = 0; i < 30; ++i) {
    const auto report = gateway->feed(image_of(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i % 3 == 2 ? 200 : 100)), labels_);
    ASSERT_TRUE(report.ok()) << i << ": " << report.error().message();
    EXPECT_EQ(report->own_label_index, i % 10);
    EXPECT_EQ(report->answer.label_index, report->answer.source == Source::kCloud ? 9 : i % 10);
  }
  EXPECT_GT(gateway->retries(), 10U);
}

TEST_F(Firmware, answers_200_of_200_where_the_cloud_never_was_or_dies_at_work) {
  for (const int alive : {0, 40}) {
    SCOPED_TRACE("a cloud of " + std::to_string(alive) + " answers");
    cloud_ = cloud_of(alive);
    auto qemu = boot();
    const auto line = connect();
    const auto gateway = gateway_on(*line);
    ASSERT_TRUE(gateway->greet(20s).ok());
    int from_cloud = 0, fallbacks = 0;
    for (int i = 0; i < 200; ++i) {
      const auto report = gateway->feed(image_of(static_cast<std::uint8_t>(i), i % 2 == 0 ? 100 : 200), labels_);
      ASSERT_TRUE(report.ok()) << i << ": " << report.error().message();
      EXPECT_EQ(report->own_label_index, i % 10);
      EXPECT_EQ(report->answer.label_index, report->answer.source == Source::kCloud ? 9 : i % 10);
      EXPECT_EQ(report->answer.source == Source::kEdge, i % 2 == 0) << i;
      from_cloud += report->answer.source == Source::kCloud ? 1 : 0;
      fallbacks += report->answer.source == Source::kEdgeFallback ? 1 : 0;
    }
    EXPECT_EQ(from_cloud, alive);
    EXPECT_EQ(fallbacks, 100 - alive) << "the device's own answers, and it says so";
    EXPECT_TRUE(qemu.running());
    qemu.signal(SIGKILL);
    qemu.wait();
  }
}

TEST_F(Firmware, with_images_of_its_own_it_answers_200_of_200_though_the_gateway_is_killed) {
  std::ofstream images(at("camera.bin"), std::ios::binary);
  const std::uint32_t head[] = {0x58504748, 200};
  images.write(reinterpret_cast<const char*>(head), sizeof head);
  for (int i = 0; i < 200; ++i) {
    const auto image = image_of(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i % 2 == 0 ? 100 : 200));
    images.write(reinterpret_cast<const char*>(image.pixels.data()), static_cast<std::streamsize>(image.pixels.size()));
  }
  images.close();
  auto qemu = boot("-device loader,file=" + at("camera.bin") + ",addr=0x60000000,force-raw=on");
  {
    const auto line = connect();
    const auto gateway = gateway_on(*line);
    const auto info = gateway->greet(20s);
    ASSERT_TRUE(info.ok()) << info.error().message();
    ASSERT_FALSE(info->fed);
    for (int served = 0; served < 20;) {
      const auto report = gateway->serve(10s, labels_);
      ASSERT_TRUE(report.ok()) << report.error().message();
      served += report->has_value() ? 1 : 0;
    }
  }  // the gateway is gone, its line cut
  const auto start = clock_.now();
  while (qemu.running() && seconds_between(start, clock_.now()) < 120) std::this_thread::sleep_for(50ms);
  ASSERT_FALSE(qemu.running()) << "it hangs";
  EXPECT_EQ(qemu.wait(), 0);
  const auto told = read_file(at("told")).value();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 200);
  EXPECT_THAT(told, HasSubstr("answer 1 label 9 cloud"));
  EXPECT_THAT(told, HasSubstr("answer 197 label 7 edge-fallback")) << "its own label";
}

}  // namespace
}  // namespace hedge::edge
