#pragma once

/* Hedge for C11 and for every language that calls C.
 *
 *   hedge_options options = HEDGE_OPTIONS_INIT;
 *   options.bundle = "bundle";
 *   hedge_runtime* runtime;
 *   hedge_error error;
 *   if (hedge_open(&options, &runtime, &error) != HEDGE_OK) return fail(error.message);
 *   hedge_answer answer = HEDGE_ANSWER_INIT;
 *   if (hedge_answer_file(runtime, "image.png", &answer, &error) == HEDGE_OK) show(answer.label);
 *   hedge_close(runtime);
 *
 * Memory: the library copies what it is given; what it gives back lies in the caller's structs, but for labels, which belong to the
 * runtime and live until hedge_close. Nothing needs to be freed but runtimes.
 * Threads: every function may be called from any thread, also at the same time with one runtime; hedge_close must be the last call.
 * Errors: a function that can fail returns HEDGE_OK or another code, and then fills `error`, which may be NULL. Answers and runtimes are
 * left untouched by a failed call. No C++ exception leaves the library.
 * Extension: a struct begins with its size, which its INIT macro sets. Later versions add fields at the end; the library reads and writes
 * only what the caller's version has. */

#include <stddef.h>
#include <stdint.h>

#include "hedge/api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong; the numbers are those of hedge::ErrorCode and of the programs' exit codes. */
typedef enum hedge_code {
  HEDGE_OK = 0,
  HEDGE_INVALID_ARGUMENT = 2, /* an argument or option outside its range, a NULL where something must be, a struct without its size */
  HEDGE_NOT_FOUND = 3,        /* a file that is not there */
  HEDGE_BAD_FORMAT = 4,       /* bytes that do not follow their format */
  HEDGE_UNSUPPORTED = 5,      /* well-formed, but outside what is implemented */
  HEDGE_MISMATCH = 6,         /* two things that must agree do not */
  HEDGE_IO = 7,               /* the operating system refused to read */
  HEDGE_UNREACHABLE = 8,      /* no answer meets the request */
  HEDGE_UNAVAILABLE = 9,      /* a peer that is dead, late or refuses */
  HEDGE_DEADLINE = 10,        /* the time given ran out */
  HEDGE_CANCELLED = 11,       /* stopped on request */
  HEDGE_BAD_DATA = 12,        /* values that cannot be used */
  HEDGE_ALARM = 13,           /* it runs, but the images show that it is wrong */
  HEDGE_INTERNAL = 70         /* a bug of the library or of a library under it */
} hedge_code;

/* Filled by a failed call. */
typedef struct hedge_error {
  int32_t code;       /* a hedge_code */
  char message[1020]; /* UTF-8, ends with 0; cut where it is longer: "where: what (got …, expected …); hint" */
} hedge_error;

/* Who answered. */
typedef enum hedge_source {
  HEDGE_SOURCE_EDGE = 0,         /* the base, because the router saw no gain in a query, or no cloud is configured */
  HEDGE_SOURCE_CLOUD = 1,        /* the global */
  HEDGE_SOURCE_EDGE_FALLBACK = 2 /* the base, because a query failed or was late */
} hedge_source;

typedef enum hedge_log_level { HEDGE_LOG_DEBUG = 0, HEDGE_LOG_INFO = 1, HEDGE_LOG_WARNING = 2, HEDGE_LOG_ERROR = 3 } hedge_log_level;
/* Called with one message, which is valid during the call; from any thread, until hedge_close. */
typedef void (*hedge_log)(int32_t level, const char* message, void* user);

/* How to open a bundle. Start with HEDGE_OPTIONS_INIT; strings are copied. NULL is "not given". */
typedef struct hedge_options {
  size_t size;
  const char* bundle;          /* the folder that `hedge bundle` wrote; needed */
  const char* cloud_address;   /* HOST:PORT of the server with the global; NULL: never queries, the base answers everything */
  int32_t deadline_ms;         /* longest wait for one answer of the cloud, >= 1 (200); longer: fewer fallbacks, a slower worst case */
  int32_t threads;             /* CPU threads for the base's network, 0..1024 (0: the library's choice) */
  int32_t throughput;          /* not 0: several threads will answer at once; more answers a second, a longer wait for each */
  int32_t tls;                 /* not 0: encrypt the connection; implied by the next four */
  const char* tls_ca;          /* PEM file with the authorities to trust; NULL: the system's */
  const char* tls_certificate; /* PEM file with this device's certificate, where the server asks for one; needs tls_key */
  const char* tls_key;         /* PEM file with its key */
  const char* tls_server_name; /* the name to look for in the server's certificate; NULL: the address's host */
  int32_t failures_to_open;    /* failed queries in a row, >= 1 (5), after which the device stops waiting for the cloud */
  int32_t probe_interval_ms;   /* then one query is tried this often, >= 1 (500) */
  hedge_log log;               /* told where the cloud cannot be reached at the start, or serves another model; may be NULL */
  void* log_user;              /* given to `log`; must live as long as the runtime */
  int32_t accept_other_global; /* not 0: query also a server whose model is not the judged one, or cannot be shown to be; the report's
                                  accuracy does not hold then (since 0.3.0) */
} hedge_options;

#define HEDGE_OPTIONS_INIT \
  { sizeof(hedge_options), NULL, NULL, 200, 0, 0, 0, NULL, NULL, NULL, NULL, 5, 500, NULL, NULL, 0 }

/* One image's answer. Start with HEDGE_ANSWER_INIT. */
typedef struct hedge_answer {
  size_t size;
  int64_t label_index;  /* 0 .. hedge_label_count - 1 */
  const char* label;    /* belongs to the runtime; lives until hedge_close */
  int32_t source;       /* a hedge_source */
  float score;          /* of the router: the higher, the more a query helps */
  int32_t wants_cloud;  /* 1: score > threshold, whatever became of it */
  char reason[252];     /* why this source; UTF-8, ends with 0, cut where it is longer */
  double preprocess_ms; /* times of the steps; 0 for one that was not taken */
  double base_ms;
  double router_ms;
  double cloud_ms;
  double total_ms;
} hedge_answer;

#define HEDGE_ANSWER_INIT \
  { sizeof(hedge_answer), 0, NULL, 0, 0, 0, {0}, 0, 0, 0, 0, 0 }

/* What a runtime's answers add up to since it was opened. Start with HEDGE_STATISTICS_INIT. */
typedef struct hedge_statistics {
  size_t size;
  uint64_t answered; /* calls that gave an answer */
  uint64_t errors;   /* calls that gave an error */
  uint64_t edge;     /* answers by source */
  uint64_t cloud;
  uint64_t fallback;
  double coverage; /* share of the answered with score <= threshold */
  double mean_ms;  /* of an answer's total time */
  double p50_ms;   /* of the latest 4096 answers */
  double p99_ms;
  char alarm[512]; /* why queries fail, where that does not pass by itself (the server's model is not the judged one, …), or that none has
                      succeeded although some were wanted; empty: nothing of this. UTF-8, ends with 0, cut where it is longer (since 0.3.0)
                    */
} hedge_statistics;

#define HEDGE_STATISTICS_INIT                                  \
  {                                                            \
    sizeof(hedge_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0 } \
  }

/* An opened bundle. */
typedef struct hedge_runtime hedge_runtime;

/* The library's version, "0.2.0". */
HEDGE_API const char* hedge_version(void);

/* Opens a bundle and says hello to the cloud, for at most 2 s or the deadline where that is longer (and as long for each of the images by
 * which a server that does not name its model is known); a cloud that is not there is no error, one that serves another model than the
 * bundle was judged with is one. `*runtime` is to be closed with hedge_close. */
HEDGE_API hedge_code hedge_open(const hedge_options* options, hedge_runtime** runtime, hedge_error* error);
/* NULL is allowed. */
HEDGE_API void hedge_close(hedge_runtime* runtime);

/* Answers an image file (JPEG, PNG, WebP, BMP, TIFF, GIF). */
HEDGE_API hedge_code hedge_answer_file(hedge_runtime* runtime, const char* path, hedge_answer* answer, hedge_error* error);
/* Answers the `size` bytes of an image file. */
HEDGE_API hedge_code hedge_answer_encoded(hedge_runtime* runtime, const void* bytes, size_t size, hedge_answer* answer, hedge_error* error);
/* Answers pixels: u8 [height, width, channels], row-major without gaps; channels 1 (gray) or 3 (RGB); of any size. */
HEDGE_API hedge_code hedge_answer_pixels(hedge_runtime* runtime, const uint8_t* pixels, int64_t height, int64_t width, int64_t channels,
                                         hedge_answer* answer, hedge_error* error);

/* Number of class names; 0 for NULL. */
HEDGE_API size_t hedge_label_count(const hedge_runtime* runtime);
/* The class name of an index, or NULL where there is none. It belongs to the runtime. */
HEDGE_API const char* hedge_label(const hedge_runtime* runtime, size_t index);
HEDGE_API hedge_code hedge_read_statistics(const hedge_runtime* runtime, hedge_statistics* statistics, hedge_error* error);

#ifdef __cplusplus
}
#endif
