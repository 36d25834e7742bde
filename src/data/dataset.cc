#include "hedge/dataset.h"

#include "data/internal/sources.h"

namespace hedge::data {

Result<Opened> open_dataset(const std::string& spec, const OpenOptions& options) {
  HEDGE_TRY(const auto parsed, parse_spec(spec));
  switch (parsed.source) {
    case Source::kFashionMnist: return internal::open_fashion_mnist(parsed, options);
    case Source::kFolder: return internal::open_folder(parsed, options);
    case Source::kCsv: return internal::open_csv(parsed, options);
    case Source::kIdx: return internal::open_idx(parsed, options);
    case Source::kCifar: return internal::open_cifar(parsed, options);
    case Source::kFlat: return internal::open_flat(parsed, options);
  }
  return Error{.code = ErrorCode::kInternal, .what = "a source without a reader", .where = spec};
}

}  // namespace hedge::data
