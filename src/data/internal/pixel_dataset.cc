#include "data/internal/pixel_dataset.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "data/internal/sources.h"

namespace hedge::data::internal {
namespace {

std::string_view bytes_of(const PixelImages& images, std::size_t i) {
  return {reinterpret_cast<const char*>(images.pixels.data()) + i * images.image_bytes(), images.image_bytes()};
}

class PixelDataset final : public Dataset {
 public:
  PixelDataset(const DatasetSpec& spec, PixelImages images, std::vector<std::size_t> rows)
      : spec_(to_string(spec)), images_(std::move(images)), rows_(std::move(rows)) {
    ContentHash hash;
    for (const auto row : rows_) {
      const auto digest = sha256_hex(bytes_of(images_, row));
      hash.add(images_.labels[row], digest);
      hashes_.push_back(*first_bytes_of(digest));
    }
    content_hash_ = hash.hex();
  }

  [[nodiscard]] std::size_t size() const override { return rows_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return images_.classes; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return images_.labels[rows_[index]]; }
  [[nodiscard]] std::string id(std::size_t index) const override { return images_.ids[rows_[index]]; }
  [[nodiscard]] Result<Image> image(std::size_t index) const override {
    const auto bytes = bytes_of(images_, rows_[index]);
    return Image{.height = images_.height, .width = images_.width, .channels = images_.channels, .pixels = {bytes.begin(), bytes.end()}};
  }
  [[nodiscard]] const std::string& content_hash() const override { return content_hash_; }
  [[nodiscard]] const std::string& spec() const override { return spec_; }
  [[nodiscard]] std::optional<std::uint64_t> stored_hash(std::size_t index) const override { return hashes_[index]; }

 private:
  std::string spec_, content_hash_;
  PixelImages images_;
  std::vector<std::size_t> rows_;
  std::vector<std::uint64_t> hashes_;
};

/// Divides the images at `rows`.
void divide_rows(const PixelImages& images, const std::vector<std::size_t>& rows, const SplitShares& shares, std::vector<Split>& splits) {
  std::vector<std::int64_t> labels;
  std::vector<std::uint64_t> keys;
  for (const auto row : rows) {
    labels.push_back(images.labels[row]);
    keys.push_back(stable_hash(bytes_of(images, row)));
  }
  const auto divided = assign_splits({.labels = labels, .keys = keys, .classes = images.classes.size()}, shares);
  for (std::size_t i = 0; i < rows.size(); ++i) splits[rows[i]] = divided[i];
}

std::vector<Split> splits_of(const PixelImages& images) {
  constexpr Share kTenth{.part = 1, .of = 10};
  constexpr Share kTwoFifths{.part = 2, .of = 5};
  std::vector<Split> splits(images.size(), Split::kTest);
  std::vector<std::size_t> rows;
  std::vector<std::size_t> counts(images.classes.size(), 0);
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!images.files.empty() && images.files[i] == Split::kTest) continue;
    rows.push_back(i);
    ++counts[static_cast<std::size_t>(images.labels[i])];
  }
  const bool can_train = std::any_of(counts.begin(), counts.end(), [](std::size_t count) { return count >= kLeastToDivide; });
  const auto share = can_train ? kTenth : kTwoFifths;
  divide_rows(images, rows,
              images.files.empty() ? SplitShares{.calibration = share, .test = share} : SplitShares{.calibration = kTenth, .test = {}},
              splits);
  return splits;
}

}  // namespace

Result<Opened> open_pixels(const DatasetSpec& spec, const OpenOptions& options, PixelImages images) {
  for (const auto& note : images.notes) log(options.log, note.level, spec.path + ": " + note.text);
  const auto splits = splits_of(images);
  std::vector<std::size_t> wanted;
  std::vector<std::int64_t> labels;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if ((spec.split != Split::kAll && splits[i] != spec.split) || !spec.wants(images.labels[i])) continue;
    wanted.push_back(i);
    labels.push_back(images.labels[i]);
  }
  HEDGE_TRY(const auto kept, take_balanced(labels, images.classes.size(), spec.limit.value_or(wanted.size()),
                                           [](std::size_t) -> Result<bool> { return true; }));
  std::vector<std::size_t> rows;
  std::set<std::int64_t> classes;
  for (const auto i : kept) {
    rows.push_back(wanted[i]);
    classes.insert(labels[i]);
  }
  if (rows.empty()) return Error{.code = ErrorCode::kBadData, .what = "the data set has no image", .where = to_string(spec)};
  if (classes.size() == 1 && spec.limit.value_or(2) > 1)
    return Error{.code = ErrorCode::kBadData,
                 .what = "the data set has a single class",
                 .where = to_string(spec),
                 .got = images.classes[static_cast<std::size_t>(*classes.begin())]};
  Opened opened;
  opened.dataset = std::make_unique<PixelDataset>(spec, std::move(images), std::move(rows));
  return opened;
}

}  // namespace hedge::data::internal
