#include "cli/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/listener.h"
#include "core/testing.h"

namespace hedge::cli {
namespace {

using ::testing::HasSubstr;

/// A made-up machine below a folder.
class Doctor : public ::testing::Test {
 protected:
  void SetUp() override {
    put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Test CPU\nflags\t\t: fpu sse avx2 avx512f amx_bf16\n");
    put("proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n");
    link_blas("/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3");
    for (const char* name :
         {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"})
      put(std::string("usr/share/datasets/fashion-mnist/") + name, "x");
    options_ = {.root = folder_.path(), .work = folder_.path(), .torch_version = "1.13.1", .openvino_version = "2026.4.1", .ports = {}};
  }

  void put(const std::string& path, const std::string& text) { ASSERT_TRUE(write_file_atomic(folder_.path() / path, text).ok()); }
  void link_blas(const std::string& target) {
    const auto link = folder_.path() / "etc" / "alternatives" / "libblas.so.3-x86_64-linux-gnu";
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::remove(link);
    std::filesystem::create_symlink(target, link);
  }
  [[nodiscard]] Check check(const std::string& name) const {
    for (const auto& check : examine_machine(options_))
      if (check.name == name) return check;
    ADD_FAILURE() << "no check " << name;
    return {};
  }

  testing::TemporaryFolder folder_{"doctor"};
  DoctorOptions options_;
};

TEST_F(Doctor, reads_processor_and_memory) {
  EXPECT_EQ(check("processor").found, "Test CPU, AVX2, AVX-512, AMX");
  EXPECT_TRUE(check("processor").ok);
  EXPECT_EQ(check("memory").found, "8.0 GiB available");
  put("proc/meminfo", "MemAvailable:    1048576 kB\n");
  EXPECT_FALSE(check("memory").ok);
  EXPECT_THAT(check("memory").hint, HasSubstr("4.0 GiB"));
}

TEST_F(Doctor, requires_a_fast_blas) {
  EXPECT_TRUE(check("BLAS").ok);
  link_blas("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3");
  EXPECT_FALSE(check("BLAS").ok);
  EXPECT_TRUE(check("BLAS").required);
  EXPECT_THAT(check("BLAS").hint, HasSubstr("libopenblas0-openmp"));
  options_.torch_version = "2.15.0";
  EXPECT_TRUE(check("BLAS").ok) << "Debian's is not asked";
}

TEST_F(Doctor, names_the_data_file_that_is_missing) {
  EXPECT_TRUE(check("Fashion-MNIST").ok);
  std::filesystem::remove(folder_.path() / "usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte");
  EXPECT_FALSE(check("Fashion-MNIST").ok);
  EXPECT_THAT(check("Fashion-MNIST").found, HasSubstr("t10k-labels"));
}

TEST_F(Doctor, says_when_a_library_is_missing_and_what_to_do) {
  EXPECT_TRUE(check("OpenVINO").ok);
  options_.openvino_version.clear();
  options_.torch_version.clear();
  EXPECT_THAT(check("OpenVINO").hint, HasSubstr("make setup"));
  EXPECT_THAT(check("libtorch").hint, HasSubstr("libtorch-dev"));
}

TEST_F(Doctor, sees_a_taken_port) {
  int port = 0;
  {
    const hedge::testing::Listener listener;
    port = listener.port;
    options_.ports = {port};
    EXPECT_EQ(check("port " + std::to_string(port)).found, "taken");
  }
  EXPECT_EQ(check("port " + std::to_string(port)).found, "free");
}

TEST_F(Doctor, an_unreadable_machine_is_reported_not_fatal) {
  options_.root = folder_.path() / "nowhere";
  const auto checks = examine_machine(options_);
  EXPECT_GE(checks.size(), 8U);
  EXPECT_FALSE(healthy(checks));
  for (const auto& check : checks) {
    EXPECT_NE(check.ok, !check.hint.empty()) << check.name;
  }
}

TEST(DoctorReport, only_what_is_required_makes_a_machine_unhealthy) {
  std::vector<Check> checks = {{.name = "a", .ok = true, .required = true, .found = "yes", .hint = ""},
                               {.name = "bb", .ok = false, .required = false, .found = "no", .hint = "get it"}};
  EXPECT_TRUE(healthy(checks));
  EXPECT_EQ(to_text(checks), "ok       a   yes\nnote     bb  no\n             get it\n");
  checks[0].ok = false;
  EXPECT_FALSE(healthy(checks));
  EXPECT_THAT(to_text(checks), HasSubstr("MISSING  a"));
  const Json json = to_json(checks);
  EXPECT_FALSE(json.at("healthy").get<bool>());
  EXPECT_EQ(json.at("checks").size(), 2U);
  EXPECT_EQ(json.at("checks")[1].at("hint"), "get it");
}

}  // namespace
}  // namespace hedge::cli
