// Arrays of NumPy's files, safetensors and tables.
#include "data/array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>

#include "core/file.h"
#include "core/safetensors.h"
#include "core/testing.h"
#include "data/zip.h"

namespace hedge::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A version 1 .npy as NumPy writes it.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data, bool fortran = false) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  dict.resize(128 - 10 - 1, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dict + "\n" + data;
}

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string reversed(std::string bytes, std::size_t element) {
  for (std::size_t at = 0; at < bytes.size(); at += element)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + element));
  return bytes;
}

std::vector<float> floats(const Result<Array>& array) {
  EXPECT_TRUE(array.ok()) << (array ? "" : array.error().message());
  if (!array) return {};
  const auto values = array->numbers.data<float>();
  return {values.begin(), values.end()};
}

std::vector<std::int64_t> integers(const Result<Array>& array) {
  EXPECT_TRUE(array.ok()) << (array ? "" : array.error().message());
  if (!array) return {};
  const auto values = array->numbers.data<std::int64_t>();
  return {values.begin(), values.end()};
}

std::string little(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string deflated(const std::string& content) {
  std::string packed(content.size() + 100, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

struct ZipForm {
  bool deflate = false, zip64 = false;
};

/// An archive of one file, as np.savez or np.savez_compressed writes it.
std::string zip_of(const std::string& name, const std::string& content, const ZipForm& form = {}) {
  const auto packed = form.deflate ? deflated(content) : content;
  const auto crc = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  const auto small = [&](std::size_t size) { return little(form.zip64 ? 0xFFFFFFFF : size, 4); };
  const auto extra = form.zip64 ? little(1, 2) + little(16, 2) + little(content.size(), 8) + little(packed.size(), 8) : std::string();
  const auto common = little(form.deflate ? 8 : 0, 2) + little(0, 4) + little(crc, 4) + small(packed.size()) + small(content.size()) +
                      little(name.size(), 2) + little(extra.size(), 2);
  const auto local = "PK\x03\x04" + little(20, 2) + little(0, 2) + common + name + extra + packed;
  const auto central = "PK\x01\x02" + little(20, 2) + little(20, 2) + little(0, 2) + common + little(0, 2) + little(0, 2) + little(0, 2) +
                       little(0, 4) + little(0, 4) + name + extra;
  return local + central + "PK\x05\x06" + little(0, 4) + little(1, 2) + little(1, 2) + little(central.size(), 4) + little(local.size(), 4) +
         little(0, 2);
}

class Arrays : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) const {
    const auto path = folder_ / name;
    EXPECT_TRUE(write_file_atomic(path, bytes).ok());
    return path.string();
  }

 private:
  hedge::testing::TemporaryFolder folder_{"arrays"};
};

TEST(Npy, reads_all_number_types_in_both_byte_orders) {
  EXPECT_THAT(floats(parse_npy(npy("<f4", "(2,)", raw<float>({1.5F, -2})), "x")), ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(floats(parse_npy(npy(">f4", "(2,)", reversed(raw<float>({1.5F, -2}), 4)), "x")), ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(floats(parse_npy(npy("<f8", "(2,)", raw<double>({1.5, 1e-3})), "x")), ElementsAre(1.5F, 1e-3F));
  EXPECT_THAT(floats(parse_npy(npy("<f2", "(4,)", raw<std::uint16_t>({0x3C00, 0xC000, 0x0001, 0x3555})), "x")),
              ElementsAre(1.0F, -2.0F, 0x1p-24F, 0.33325195F));
  EXPECT_THAT(integers(parse_npy(npy("<i8", "(2,)", raw<std::int64_t>({7, -1})), "x")), ElementsAre(7, -1));
  EXPECT_THAT(integers(parse_npy(npy(">i4", "(1,)", reversed(raw<std::int32_t>({258}), 4)), "x")), ElementsAre(258));
  EXPECT_THAT(integers(parse_npy(npy("|u1", "(2,)", raw<std::uint8_t>({255, 0})), "x")), ElementsAre(255, 0));
  EXPECT_THAT(integers(parse_npy(npy("|b1", "(2,)", raw<std::uint8_t>({1, 0})), "x")), ElementsAre(1, 0));
  EXPECT_THAT(integers(parse_npy(npy("<i2", "(1,)", raw<std::int16_t>({-300})), "x")), ElementsAre(-300));
}

TEST(Npy, puts_fortrans_order_into_cs) {
  const auto array = parse_npy(npy("<f4", "(2, 3)", raw<float>({1, 4, 2, 5, 3, 6}), true), "x");
  EXPECT_THAT(floats(array), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(array->shape, (Shape{2, 3}));
}

TEST(Npy, reads_texts) {
  const auto wide = parse_npy(npy("<U2", "(2,)", raw<std::uint32_t>({'a', 0xE9, 'b', 0})), "x");
  ASSERT_TRUE(wide.ok());
  EXPECT_THAT(wide->texts, ElementsAre("a\xC3\xA9", "b"));
  EXPECT_FALSE(wide->has_numbers());
  const auto bytes = parse_npy(npy("|S3", "(2,)", std::string("ab\0cde", 6)), "x");
  ASSERT_TRUE(bytes.ok());
  EXPECT_THAT(bytes->texts, ElementsAre("ab", "cde"));
}

TEST(Npy, refuses_what_it_cannot_read_with_the_way_out) {
  const auto refused = [](const std::string& bytes, ErrorCode code, const char* text) {
    const auto array = parse_npy(bytes, "x.npy");
    ASSERT_FALSE(array.ok());
    EXPECT_EQ(array.error().code, code) << array.error().message();
    EXPECT_THAT(array.error().message(), HasSubstr(text));
  };
  refused(npy("|O", "(2,)", "pickled"), ErrorCode::kUnsupported, "astype");
  refused(npy("<c8", "(1,)", std::string(8, '\0')), ErrorCode::kUnsupported, "<c8");
  refused(npy("<f4", "(3,)", raw<float>({1, 2})), ErrorCode::kBadFormat, "8 bytes for [3]");
  refused(npy("<f4", "(1000000, 1000000, 1000000)", ""), ErrorCode::kBadFormat, "length");
  refused(npy("<f4", "(2, 2, 1, 1, 1)", raw<float>({1, 2, 3, 4})), ErrorCode::kUnsupported, "dimensions");
  refused("\x93NUMPY\x01", ErrorCode::kBadFormat, "no .npy");
  refused(npy("<f4", "()", "").substr(0, 60), ErrorCode::kBadFormat, "truncated");
  refused(npy("<U1", "(1,)", raw<std::uint32_t>({0xD800})), ErrorCode::kBadData, "Unicode");
}

TEST(Npy, refuses_integers_beyond_the_signed_range) {
  EXPECT_EQ(parse_npy(npy("<u8", "(1,)", raw<std::uint64_t>({std::uint64_t{1} << 63})), "x").error().code, ErrorCode::kBadData);
}

TEST_F(Arrays, of_an_npz_are_chosen_by_name_stored_deflated_and_in_zip64) {
  const auto content = npy("<f4", "(3,)", raw<float>({1, 2, 3}));
  for (const auto form : {ZipForm{}, ZipForm{.deflate = true}, ZipForm{.zip64 = true}, ZipForm{.deflate = true, .zip64 = true}}) {
    const auto path = file("a.npz", zip_of("logits.npy", content, form));
    EXPECT_THAT(floats(read_array(path + ":logits")), ElementsAre(1, 2, 3));
    EXPECT_THAT(floats(read_array(path)), ElementsAre(1, 2, 3)) << "it is the only one";
    EXPECT_THAT(array_names(path).value(), ElementsAre("logits"));
    const auto missing = read_array(path + ":labels");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(missing.error().message(), HasSubstr("logits"));
  }
}

TEST_F(Arrays, of_a_damaged_npz_are_refused) {
  auto bytes = zip_of("a.npy", npy("<f4", "(1,)", raw<float>({1})));
  auto changed = bytes;
  changed[200 - 36] ^= 1;
  EXPECT_EQ(read_array(file("crc.npz", changed)).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(read_array(file("cut.npz", bytes.substr(0, 150))).error().code, ErrorCode::kBadFormat);
  auto bomb = zip_of("a.npy", std::string(1000, 'x'), {.deflate = true, .zip64 = true});
  const auto at = bomb.rfind(little(1000, 8));
  bomb.replace(at, 8, little(std::uint64_t{1} << 40, 8));
  EXPECT_EQ(read_array(file("bomb.npz", bomb)).error().code, ErrorCode::kBadFormat) << "before any memory is asked for";
}

TEST_F(Arrays, of_safetensors_may_be_halves_and_doubles) {
  const auto header =
      std::string(R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"d":{"dtype":"F64","shape":[1],"data_offsets":[4,12]}})");
  const auto path = file("a.safetensors", little(header.size(), 8) + header + raw<std::uint16_t>({0x3F80, 0xC000}) + raw<double>({0.25}));
  EXPECT_THAT(floats(read_array(path + ":b")), ElementsAre(1, -2));
  EXPECT_THAT(floats(read_array(path + ":d")), ElementsAre(0.25F));
  const auto unnamed = read_array(path);
  ASSERT_FALSE(unnamed.ok());
  EXPECT_EQ(unnamed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(unnamed.error().message(), HasSubstr("b, d"));
}

TEST_F(Arrays, of_a_table_are_columns) {
  const auto path = file("t.csv", "id,label,p_a,p_b\nx,2,0.5,0.5\ny,0,1,0\n");
  EXPECT_THAT(integers(read_array(path + ":label")), ElementsAre(2, 0));
  EXPECT_THAT(read_array(path + ":label")->texts, ElementsAre("2", "0")) << "names may be digits";
  const auto matrix = read_array(path + ":p_*");
  EXPECT_THAT(floats(matrix), ElementsAre(0.5F, 0.5F, 1, 0));
  EXPECT_EQ(matrix->shape, (Shape{2, 2}));
  EXPECT_EQ(read_array(path + ":p_b,label")->shape, (Shape{2, 2}));
  EXPECT_FALSE(read_array(path + ":id")->has_numbers());
  EXPECT_EQ(read_array(path).error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(read_array(path + ":lable").error().message(), HasSubstr("label"));
  EXPECT_THAT(array_names(path).value(), ElementsAre("id", "label", "p_a", "p_b"));
}

TEST_F(Arrays, of_a_table_without_names_are_columns_by_number) {
  const auto path = file("t.csv", "0.25,0.75\n1,0\n");
  EXPECT_THAT(floats(read_array(path)), ElementsAre(0.25F, 0.75F, 1, 0));
  EXPECT_THAT(floats(read_array(path + ":#2")), ElementsAre(0.75F, 0));
  EXPECT_EQ(read_array(path + ":#3").error().code, ErrorCode::kNotFound);
  const auto names = file("n.txt", "a.jpg,\nb.jpg,\n");
  EXPECT_THAT(read_array(names + ":#1")->texts, ElementsAre("a.jpg", "b.jpg")) << "the first line is data too";
  const auto counted = file("pandas.csv", "0,1\n0.25,0.75\n");
  EXPECT_EQ(read_array(counted + ":0,1")->shape, (Shape{1, 2})) << "a line that counts the columns is their names";
}

TEST_F(Arrays, of_compressed_and_pickled_files_are_refused_with_the_way_out) {
  const auto refused = [&](const char* name, const std::string& bytes, const char* text) {
    const auto array = read_array(file(name, bytes) + ":a");
    ASSERT_FALSE(array.ok());
    EXPECT_EQ(array.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(array.error().message(), HasSubstr(text));
  };
  refused("a.zst", "\x28\xB5\x2F\xFD rest", "zstd -d");
  refused("a.gz", "\x1F\x8B rest", "gunzip");
  refused("a.pkl", "\x80\x04 rest", "np.savez");
  refused("a.pt", zip_of("archive/data.pkl", "x"), "np.save");
  EXPECT_EQ(read_array(file("a.npy", npy("<f4", "(1,)", raw<float>({1}))) + ":a").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_array("nowhere.npy").error().code, ErrorCode::kNotFound);
}

TEST(Npy, refuses_an_array_without_elements) {
  for (const char* type : {"<f4", "<U5"}) {
    const auto empty = parse_npy(npy(type, "(0, 7)", ""), "x");
    ASSERT_FALSE(empty.ok()) << type;
    EXPECT_THAT(empty.error().message(), HasSubstr("no element"));
  }
}

}  // namespace
}  // namespace hedge::data
