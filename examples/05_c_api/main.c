/* Answers image files from C11.
 *   c_api BUNDLE IMAGE… */
#include <hedge/c.h>
#include <stdio.h>

static void say(int32_t level, const char* message, void* user) {
  (void)level;
  fprintf((FILE*)user, "%s\n", message);
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: c_api BUNDLE IMAGE...\n");
    return HEDGE_INVALID_ARGUMENT;
  }
  hedge_options options = HEDGE_OPTIONS_INIT;
  options.bundle = argv[1];
  options.log = say;
  options.log_user = stderr;

  hedge_runtime* runtime = NULL;
  hedge_error error;
  if (hedge_open(&options, &runtime, &error) != HEDGE_OK) {
    fprintf(stderr, "%s\n", error.message);
    return error.code;
  }
  for (int i = 2; i < argc; ++i) {
    hedge_answer answer = HEDGE_ANSWER_INIT;
    if (hedge_answer_file(runtime, argv[i], &answer, &error) == HEDGE_OK)
      printf("%s: %s (score %g, %.1f ms)\n", argv[i], answer.label, (double)answer.score, answer.total_ms);
    else
      fprintf(stderr, "%s\n", error.message);
  }

  hedge_statistics statistics = HEDGE_STATISTICS_INIT;
  if (hedge_read_statistics(runtime, &statistics, &error) == HEDGE_OK)
    printf("%llu answered, coverage %.1f %%\n", (unsigned long long)statistics.answered, 100 * statistics.coverage);
  hedge_close(runtime);
  return statistics.errors == 0 ? 0 : 1;
}
