#include "data/internal/corrupted_dataset.h"

#include "data/internal/sources.h"

namespace hedge::data::internal {

Result<Image> CorruptedDataset::image(std::size_t index) const {
  HEDGE_TRY(const auto image, images_->image(index));
  // The noise goes with the image, not with its place, so that a limit changes none.
  const auto own = images_->stored_hash(index);
  return corrupt(image, corruption_, own ? *own : first_bytes_of(sha256_hex(id(index))).value_or(0));
}

}  // namespace hedge::data::internal
