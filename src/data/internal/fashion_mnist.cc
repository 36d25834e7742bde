#include <algorithm>
#include <filesystem>

#include "data/idx.h"
#include "data/internal/sources.h"
#include "data/internal/split.h"

namespace hedge::data::internal {
namespace {

const std::vector<std::string> kClassNames = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                              "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
constexpr std::int64_t kSide = 28;
constexpr std::size_t kImageBytes = static_cast<std::size_t>(kSide * kSide);
/// 5 000 of the 60 000 images of the train file.
constexpr SplitShares kShares{.calibration = {.part = 1, .of = 12}, .test = {}};

/// One pair of files: images and their labels.
struct Half {
  std::string prefix;  ///< "train" or "t10k"
  IdxArray images;
  IdxArray labels;

  [[nodiscard]] std::size_t size() const { return labels.values.size(); }
  [[nodiscard]] std::string_view bytes(std::size_t i) const {
    return {reinterpret_cast<const char*>(images.values.data()) + i * kImageBytes, kImageBytes};
  }
};

class FashionMnist final : public Dataset {
 public:
  explicit FashionMnist(std::string spec) : spec_(std::move(spec)) {}

  void add(const Half& half, std::size_t i) {
    const auto bytes = half.bytes(i);
    pixels_.insert(pixels_.end(), bytes.begin(), bytes.end());
    labels_.push_back(half.labels.values[i]);
    const auto number = std::to_string(i);
    ids_.push_back(half.prefix + "/" + std::string(number.size() < 5 ? 5 - number.size() : 0, '0') + number);
  }
  void seal() {
    ContentHash hash;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto digest = sha256_hex({reinterpret_cast<const char*>(pixels_.data()) + i * kImageBytes, kImageBytes});
      hash.add(label(i), digest);
      hashes_.push_back(*first_bytes_of(digest));
    }
    content_hash_ = hash.hex();
  }

  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return kClassNames; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return labels_[index]; }
  [[nodiscard]] std::string id(std::size_t index) const override { return ids_[index]; }
  [[nodiscard]] Result<Image> image(std::size_t index) const override {
    const auto* first = pixels_.data() + index * kImageBytes;
    return Image{.height = kSide, .width = kSide, .channels = 1, .pixels = {first, first + kImageBytes}};
  }
  [[nodiscard]] const std::string& content_hash() const override { return content_hash_; }
  [[nodiscard]] const std::string& spec() const override { return spec_; }
  [[nodiscard]] std::optional<std::uint64_t> stored_hash(std::size_t index) const override { return hashes_[index]; }

 private:
  std::string spec_;
  std::string content_hash_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
  std::vector<std::string> ids_;
  std::vector<std::uint64_t> hashes_;  ///< Dataset::stored_hash
};

/// The file as it was downloaded, or inflated.
Result<IdxArray> read_either(const std::filesystem::path& plain) {
  auto packed = plain;
  packed += ".gz";
  std::error_code ignored;
  if (std::filesystem::exists(packed, ignored)) return read_idx(packed);
  if (std::filesystem::exists(plain, ignored)) return read_idx(plain);
  return Error{.code = ErrorCode::kNotFound,
               .what = "a file of Fashion-MNIST does not exist",
               .where = packed.string(),
               .hint = "install the package dataset-fashion-mnist, or name the folder that holds the four files"};
}

Result<Half> read_half(const std::filesystem::path& folder, const std::string& prefix) {
  Half half{.prefix = prefix, .images = {}, .labels = {}};
  const auto images = folder / (prefix + "-images-idx3-ubyte");
  const auto labels = folder / (prefix + "-labels-idx1-ubyte");
  HEDGE_TRY(half.images, read_either(images));
  HEDGE_TRY(half.labels, read_either(labels));
  const auto& dims = half.images.dims;
  if (dims.size() != 3 || dims[1] != kSide || dims[2] != kSide)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the images have another shape",
                 .where = images.string(),
                 .got = hedge::to_string(dims),
                 .expected = "[N, 28, 28]"};
  if (half.labels.dims.size() != 1 || half.labels.dims[0] != dims[0])
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the labels do not fit the images",
                 .where = labels.string(),
                 .got = hedge::to_string(half.labels.dims),
                 .expected = "[" + std::to_string(dims[0]) + "]"};
  for (const auto label : half.labels.values)
    if (label >= kClassNames.size())
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "a label is outside of the ten classes",
                   .where = labels.string(),
                   .got = std::to_string(label),
                   .expected = "0..9"};
  return half;
}

/// The positions of the train file that `split` keeps. The pixels order the images, so that exact duplicates, which
/// this data set has, land on the same side but where they straddle the cut.
std::vector<std::size_t> positions_of(const Half& half, Split split) {
  std::vector<std::int64_t> labels(half.labels.values.begin(), half.labels.values.end());
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < half.size(); ++i) keys.push_back(stable_hash(half.bytes(i)));
  const auto splits = assign_splits({.labels = labels, .keys = keys, .classes = kClassNames.size()}, kShares);
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < half.size(); ++i)
    if (split == Split::kAll || splits[i] == split) positions.push_back(i);
  return positions;
}

struct Item {
  const Half* half;
  std::size_t position;
};

}  // namespace

Result<Opened> open_fashion_mnist(const DatasetSpec& spec, const OpenOptions& options) {
  const std::filesystem::path folder = options.fashion_mnist_dir;
  Half train;
  Half test;
  std::vector<Item> items;
  if (spec.split != Split::kTest) {
    HEDGE_TRY(train, read_half(folder, "train"));
    for (const auto position : positions_of(train, spec.split)) items.push_back({&train, position});
  }
  if (spec.split == Split::kTest || spec.split == Split::kAll) {
    HEDGE_TRY(test, read_half(folder, "t10k"));
    for (std::size_t i = 0; i < test.size(); ++i) items.push_back({&test, i});
  }
  if (items.empty())
    return Error{.code = ErrorCode::kBadData, .what = "the data set has no image", .where = to_string(spec) + " in " + folder.string()};
  std::vector<std::int64_t> labels;
  for (const auto& item : items) labels.push_back(item.half->labels.values[item.position]);
  HEDGE_TRY(const auto kept, take_balanced(labels, kClassNames.size(), spec.limit.value_or(items.size()),
                                           [&](std::size_t i) -> Result<bool> { return spec.wants(labels[i]); }));
  auto dataset = std::make_unique<FashionMnist>(to_string(spec));
  for (const auto i : kept) dataset->add(*items[i].half, items[i].position);
  if (kept.empty())
    return Error{.code = ErrorCode::kBadData, .what = "the data set has no image of these classes", .where = to_string(spec)};
  dataset->seal();
  Opened opened;
  opened.dataset = std::move(dataset);
  return opened;
}

}  // namespace hedge::data::internal
