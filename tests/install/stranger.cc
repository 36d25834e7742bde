// A stranger's program: BUNDLE HOST:PORT IMAGE…
#include <hedge/runtime.h>

#include <cstdio>

int main(int, char** argv) {
  const auto runtime = hedge::Runtime::open({.bundle = argv[1], .cloud = hedge::CloudConnection{.address = argv[2], .deadline_ms = 20000}});
  if (!runtime) {
    std::fprintf(stderr, "%s\n", runtime.error().message().c_str());
    return 1;
  }
  for (char** image = argv + 3; *image != nullptr; ++image) {
    const auto answer = runtime->answer(std::filesystem::path(*image));
    if (!answer) {
      std::fprintf(stderr, "%s\n", answer.error().message().c_str());
      return 1;
    }
    std::printf("%lld %s %.9g\n", static_cast<long long>(answer->label_index), to_string(answer->source),
                static_cast<double>(answer->score));
  }
  return 0;
}
