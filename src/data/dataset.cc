#include "hedge/dataset.h"

#include <algorithm>

#include "data/internal/corrupted_dataset.h"
#include "data/internal/sources.h"
#include "data/internal/table_listing.h"

namespace hedge::data {

namespace {

Result<Opened> open_images(const DatasetSpec& parsed, const OpenOptions& options) {
  switch (parsed.source) {
    case Source::kFashionMnist: return internal::open_fashion_mnist(parsed, options);
    case Source::kFolder: return internal::open_folder(parsed, options);
    case Source::kCsv: return internal::open_csv(parsed, options);
    case Source::kIdx: return internal::open_idx(parsed, options);
    case Source::kCifar: return internal::open_cifar(parsed, options);
    case Source::kFlat: return internal::open_flat(parsed, options);
  }
  return Error{.code = ErrorCode::kInternal, .what = "a source without a reader", .where = to_string(parsed)};
}

}  // namespace

Result<Opened> open_dataset(const std::string& spec, const OpenOptions& options) {
  HEDGE_TRY(const auto parsed, parse_spec(spec));
  auto stored = parsed;
  stored.corrupt.reset();
  HEDGE_TRY(auto opened, open_images(stored, options));
  if (parsed.corrupt)
    opened.dataset = std::make_unique<internal::CorruptedDataset>(std::move(opened.dataset), *parsed.corrupt, to_string(parsed));
  return opened;
}

Result<std::size_t> internal::count_files(const DatasetSpec& spec) {
  FolderListing listing;
  switch (spec.source) {
    case Source::kFolder: {
      HEDGE_TRY(listing, list_folder(spec));
      break;
    }
    case Source::kCsv: {
      HEDGE_TRY(listing, list_csv(spec));
      break;
    }
    case Source::kFlat: {
      HEDGE_TRY(listing, list_flat(spec));
      break;
    }
    case Source::kFashionMnist:
    case Source::kIdx:
    case Source::kCifar: return std::size_t{0};
  }
  return static_cast<std::size_t>(std::count_if(listing.files.begin(), listing.files.end(), [&](const ListedFile& file) {
    return (spec.split == Split::kAll || file.split == spec.split) && spec.wants(file.label);
  }));
}

}  // namespace hedge::data
