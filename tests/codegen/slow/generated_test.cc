// Generated code, compiled and run: on this machine, and on QEMU's Cortex-M
// machines where their toolchain is installed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "codegen/device_reference.h"
#include "codegen/emit.h"
#include "codegen/lower.h"
#include "codegen/planned_networks.h"
#include "codegen/tflite.h"
#include "core/testing.h"

namespace hedge::codegen {
namespace {

constexpr int kImages = 3;

/// A network that tests/codegen/make_tflite.py wrote.
Network imported(const std::string& file) {
  auto network = lower(read_tflite(std::string(HEDGE_SOURCE_DIR) + "/tests/fuzz/seeds/fuzz_tflite/" + file).value());
  network->name = file;
  return std::move(network).value();
}

/// A network as a program without a router.
Program program_of(const Network& network) {
  const auto channels = static_cast<std::size_t>(network.activations[network.input].channels);
  Program program{.name = network.name, .made_by = "a test", .base = network};
  program.normalization = {.mean = std::vector<float>(channels, 0.5F), .std = std::vector<float>(channels, 0.25F)};
  for (std::int64_t i = 0; i < network.activations[network.outputs[0]].bytes(); ++i)
    program.labels.push_back("class \"" + std::to_string(i) + "\"");
  return program;
}

std::vector<std::uint8_t> image_of(const Network& network, std::uint64_t seed) {
  Rng rng(seed, 99);
  std::vector<std::uint8_t> image(static_cast<std::size_t>(network.activations[network.input].bytes()));
  for (auto& byte : image) byte = static_cast<std::uint8_t>(rng.below(256));
  return image;
}

/// A main() with the images inside that prints a line of logits each.
std::string printing_main(const Network& network, bool device) {
  std::string text = "#include \"hedge_model.h\"\n";
  text += device ? "#include \"micro/platform/platform.h\"\nusing namespace "
                   "hedge::micro::platform;\n"
                 : "#include <cstdio>\n";
  for (int p = 0; p < kImages; ++p) {
    text += "static const std::uint8_t image" + std::to_string(p) + "[] = {";
    for (const auto byte : image_of(network, static_cast<std::uint64_t>(p))) text += std::to_string(byte) + ",";
    text += "};\n";
  }
  text +=
      "static void show(const std::uint8_t* image) {\n  const auto answer "
      "= hedge_model::run(image);\n";
  text += "  for (int i = 0; i < hedge_model::kClasses; ++i) { ";
  text += device ? "write_number(static_cast<unsigned>(hedge_model::base::"
                   "logits()[i] + 128)); write(\" \"); }\n  "
                   "write_number(static_cast<unsigned>(answer.label)); "
                   "write(\"\\n\");\n}\n"
                 : "std::printf(\"%d \", hedge_model::base::logits()[i] + "
                   "128); }\n  std::printf(\"%d\\n\", answer.label);\n}\n";
  text += "int main() {\n";
  for (int p = 0; p < kImages; ++p) text += "  show(image" + std::to_string(p) + ");\n";
  return text + "  return 0;\n}\n";
}

/// The lines that printing_main must print.
std::string expected_lines(const Program& program) {
  const auto& network = program.base;
  const auto& input = network.activations[network.input];
  std::string text;
  for (int p = 0; p < kImages; ++p) {
    std::vector<std::int8_t> quantised;
    const auto image = image_of(network, static_cast<std::uint64_t>(p));
    for (std::size_t i = 0; i < image.size(); ++i)
      quantised.push_back(input_table(program.normalization, input, static_cast<std::int32_t>(i) % input.channels)[image[i]]);
    const auto logits = testing::device_reference(network, quantised)[network.outputs[0]];
    for (const auto value : logits) text += std::to_string(value + 128) + " ";
    text += std::to_string(std::max_element(logits.begin(), logits.end()) - logits.begin()) + "\n";
  }
  return text;
}

struct Finished {
  int status = -1;
  std::string output;
};
Finished run_command(const std::string& command) {
  Finished finished;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return finished;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) finished.output.append(buffer, n);
  finished.status = ::pclose(pipe);
  return finished;
}
bool is_installed(const std::string& program) { return run_command("command -v " + program).status == 0; }

struct Device {
  Target target;
  const char *flags, *script, *machine;
};
constexpr Device kDevices[] = {
    {Target::kCortexM4, "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16", "mps2.ld", "mps2-an386"},
    {Target::kCortexM7, "-mcpu=cortex-m7 -mfpu=fpv5-sp-d16", "mps2.ld", "mps2-an500"},
    {Target::kCortexM55, "-mcpu=cortex-m55", "an547.ld", "mps3-an547"},
};

class GeneratedFolder {
 public:
  GeneratedFolder(const Program& program, Target target, std::int64_t budget, const std::string& name) : folder_(name) {
    const auto plan = plan_memory(program.base, {.target = target}, {.arena_budget = budget, .fuse_rows = budget >= 0});
    EXPECT_TRUE(plan) << plan.error().message();
    const auto generated = emit(program, *plan, {.target = target});
    EXPECT_TRUE(generated) << generated.error().message();
    if (!generated) return;
    EXPECT_TRUE(write_generated(*generated, folder_.path()));
    std::ofstream(folder_ / "show.cc") << printing_main(program.base, target != Target::kPortable);
  }
  [[nodiscard]] std::string path() const { return folder_.path().string(); }

  Finished on_host() const {
    const auto built = run_command("cd " + path() +
                                   " && g++ -std=c++14 -pedantic-errors -O2 -Wall -Wextra "
                                   "-Wconversion -Werror -fsanitize=address,undefined "
                                   "-fno-sanitize-recover=all -I. hedge_model.cc "
                                   "hedge_constants.cc show.cc -o show");
    return built.status == 0 ? run_command(path() + "/show") : built;
  }

  Finished on_device(const Device& device, const std::string& optimisation = "-O3") const {
    const std::string source = std::string(HEDGE_SOURCE_DIR) + "/src";
    const std::string compiler =
        "arm-none-eabi-g++ " + std::string(device.flags) + " " + optimisation +
        " -mthumb -mfloat-abi=hard -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables "
        "-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Wall -Wextra -I. -I" +
        source;
    const auto built = run_command(
        "cd " + path() + " && " + compiler + " -std=c++14 -pedantic-errors -c hedge_model.cc hedge_constants.cc && " + compiler +
        " -std=c++20 hedge_model.o hedge_constants.o show.cc " + source + "/micro/platform/startup.cc -nostartfiles -nostdlib -T " +
        source + "/micro/platform/" + device.script + " -Wl,--gc-sections -lc -lgcc -o show.elf");
    if (built.status != 0) return built;
    return run_command("timeout 300 qemu-system-arm -M " + std::string(device.machine) +
                       " -nographic -monitor none -serial none "
                       "-semihosting-config enable=on,target=native -kernel " +
                       path() + "/show.elf </dev/null");
  }

 private:
  hedge::testing::TemporaryFolder folder_;
};

TEST(Generated, ComputesTheReferencesBytesOnTheHostWhateverThePlan) {
  std::vector<Network> networks = {testing::small_resnet(1),   testing::random_mobile(1),      testing::random_mobile(2),
                                   testing::random_mobile(3),  testing::small_mobilenet_v3(1), imported("wider.tflite"),
                                   imported("gates.tflite"),   imported("extreme.tflite"),     imported("branches.tflite"),
                                   imported("factors.tflite"), imported("offsets.tflite"),     imported("functions.tflite")};
  for (const auto& network : networks)
    for (const std::int64_t budget : {0, -1}) {
      SCOPED_TRACE(network.name + (budget < 0 ? " layer by layer" : " by rows"));
      const auto program = program_of(network);
      const auto finished = GeneratedFolder(program, Target::kPortable, budget, "generated_host").on_host();
      EXPECT_EQ(finished.output, expected_lines(program));
    }
}

TEST(Generated, ComputesTheSameBytesOnEveryCortexM) {
  if (!is_installed("arm-none-eabi-g++") || !is_installed("qemu-system-arm"))
    GTEST_SKIP() << "arm-none-eabi-g++ and qemu-system-arm are not installed";
  for (const auto& network : {testing::small_resnet(2), testing::random_mobile(4), testing::small_mobilenet_v3(2), testing::mcunet_vww1(),
                              imported("wider.tflite"), imported("gates.tflite"), imported("extreme.tflite"), imported("branches.tflite"),
                              imported("offsets.tflite")})
    for (const auto& device : kDevices) {
      SCOPED_TRACE(network.name + " on " + to_string(device.target));
      const auto program = program_of(network);
      const auto finished = GeneratedFolder(program, device.target, 0, "generated_device").on_device(device);
      EXPECT_EQ(finished.output, expected_lines(program));
    }
}

TEST(Generated, ComputesTheSameBytesWithoutOptimisation) {
  if (!is_installed("arm-none-eabi-g++") || !is_installed("qemu-system-arm"))
    GTEST_SKIP() << "arm-none-eabi-g++ and qemu-system-arm are not installed";
  const auto program = program_of(testing::random_mobile(4));
  for (const auto& device : kDevices) {
    SCOPED_TRACE(to_string(device.target));
    EXPECT_EQ(GeneratedFolder(program, device.target, 0, "generated_o0").on_device(device, "-O0").output, expected_lines(program));
  }
}

TEST(Generated, IsCalledFromC) {
  const auto program = program_of(imported("gates.tflite"));
  const GeneratedFolder folder(program, Target::kPortable, 0, "generated_c");
  std::string main =
      "#include <stdio.h>\n#include \"hedge_model.h\"\nstatic "
      "const uint8_t image[] = {";
  for (const auto byte : image_of(program.base, 0)) main += std::to_string(byte) + ",";
  std::ofstream(folder.path() + "/main.c") << main
                                           << "};\nint main(void) {\n  hedge_model_answer answer;\n  "
                                              "hedge_model_set_threshold(-1.0f);\n"
                                              "  answer = hedge_model_run(image);\n"
                                              "  printf(\"%d %d %d\\n\", answer.label, answer.query, "
                                              "hedge_model_label(99) == 0);\n"
                                              "  return sizeof image == hedge_model_input_height * "
                                              "hedge_model_input_width * "
                                              "hedge_model_input_channels ? 0 : 1;\n}\n";
  const auto finished = run_command("cd " + folder.path() +
                                    " && gcc -std=c99 -pedantic-errors -Wall -Wextra -Werror -c main.c -o "
                                    "main.o && g++ -std=c++14 -O1 -I. "
                                    "hedge_model.cc hedge_constants.cc main.o -o from_c && ./from_c");
  const auto lines = expected_lines(program);
  const auto end = lines.find('\n');
  EXPECT_EQ(finished.output, lines.substr(lines.rfind(' ', end) + 1, end - lines.rfind(' ', end) - 1) + " 1 1\n");
  EXPECT_EQ(finished.status, 0);
}

TEST(Generated, LivesBesideAnotherModelInOneProgram) {
  hedge::testing::TemporaryFolder folder("generated_two");
  std::string main =
                  "#include <cstdio>\n#include \"eye.h\"\n#include "
                  "\"hedge_model.h\"\nint main() {\n",
              expected;
  for (const auto& [file, space] : {std::pair<std::string, std::string>{"wider.tflite", "eye"}, {"gates.tflite", "hedge_model"}}) {
    const auto program = program_of(imported(file));
    const auto plan = plan_memory(program.base, {.target = Target::kPortable}, {});
    const auto generated = emit(program, *plan, {.target = Target::kPortable, .space = space});
    ASSERT_TRUE(generated) << generated.error().message();
    ASSERT_TRUE(write_generated(*generated, folder.path()));
    main += "  { static const std::uint8_t image[] = {";
    for (const auto byte : image_of(program.base, 0)) main += std::to_string(byte) + ",";
    main += "};\n    std::printf(\"%d\\n\", " + space + "::run(image).label); }\n";
    const auto lines = expected_lines(program);  // the first image's line ends in its label
    const auto end = lines.find('\n');
    expected += lines.substr(lines.rfind(' ', end) + 1, end - lines.rfind(' ', end));
  }
  std::ofstream(folder / "main.cc") << main << "  return 0;\n}\n";
  const auto finished = run_command("cd " + folder.path().string() +
                                    " && g++ -std=c++20 -O1 -Wall -Wextra -Werror -I. "
                                    "hedge_model.cc hedge_constants.cc eye.cc eye_constants.cc "
                                    "main.cc -o two && ./two");
  EXPECT_EQ(finished.output, expected);
}

}  // namespace
}  // namespace hedge::codegen
