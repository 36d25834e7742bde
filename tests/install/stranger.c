/* A stranger's program in C11: BUNDLE HOST:PORT IMAGE… */
#include <hedge/c.h>
#include <stdio.h>

int main(int argc, char** argv) {
  static const char* const sources[] = {"edge", "cloud", "edge-fallback"};
  hedge_options options = HEDGE_OPTIONS_INIT;
  options.bundle = argv[1];
  options.cloud_address = argv[2];
  options.deadline_ms = 20000;
  hedge_runtime* runtime;
  hedge_error error;
  hedge_answer answer = HEDGE_ANSWER_INIT;
  hedge_code code = hedge_open(&options, &runtime, &error);
  for (int i = 3; i < argc && code == HEDGE_OK; ++i) {
    code = hedge_answer_file(runtime, argv[i], &answer, &error);
    if (code == HEDGE_OK) printf("%lld %s %.9g\n", (long long)answer.label_index, sources[answer.source], (double)answer.score);
  }
  if (code != HEDGE_OK) fprintf(stderr, "%s\n", error.message);
  return (int)code;
}
