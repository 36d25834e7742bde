// Answers images on the device, and in the cloud where the router says that this helps.
//   answer_images BUNDLE [--cloud HOST:PORT] IMAGE…
#include <hedge/runtime.h>

#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) {
    std::fprintf(stderr, "usage: answer_images BUNDLE [--cloud HOST:PORT] IMAGE...\n");
    return 2;
  }
  hedge::RuntimeOptions options{.bundle = words[0]};
  options.log = [](hedge::LogLevel, const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); };
  std::size_t first = 1;
  if (words[1] == "--cloud" && words.size() > 2) {
    // A longer deadline gives fewer fallbacks and a slower worst case.
    options.cloud = hedge::CloudConnection{.address = words[2], .deadline_ms = 1000};
    first = 3;
  }

  const auto runtime = hedge::Runtime::open(options);
  if (!runtime) {
    std::fprintf(stderr, "%s\n", runtime.error().message().c_str());
    return static_cast<int>(runtime.error().code);
  }
  for (std::size_t i = first; i < words.size(); ++i) {
    const auto answer = runtime->answer(std::filesystem::path(words[i]));
    if (!answer) {
      std::fprintf(stderr, "%s\n", answer.error().message().c_str());
      continue;
    }
    std::printf("%s: %s (%s, %s, %.1f ms)\n", words[i].c_str(), answer->label.c_str(), to_string(answer->source), answer->reason.c_str(),
                answer->times_ms.total);
  }
  const auto statistics = runtime->statistics();
  std::printf("%llu answered, coverage %.1f %%, p99 %.2f ms\n", static_cast<unsigned long long>(statistics.answered),
              100 * statistics.coverage, statistics.p99_ms);
  return statistics.errors == 0 ? 0 : 1;
}
