#include "core/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/testing.h"

namespace hedge {
namespace {

using ::testing::HasSubstr;

TensorFile example() {
  TensorFile file;
  file.tensors.emplace("weights", Tensor::of<float>({2, 2}, {1.5F, -2.0F, 0.0F, 3e38F}));
  file.tensors.emplace("labels", Tensor::of<std::int64_t>({3}, {7, -1, 0}));
  file.tensors.emplace("bytes", Tensor::of<std::uint8_t>({1, 3}, {0, 128, 255}));
  file.tensors.emplace("nothing", Tensor(DType::kF32, {0, 4}));
  file.tensors.emplace("scalar", Tensor::of<std::int32_t>({}, {42}));
  file.tensors.emplace("flags", Tensor(DType::kBool, {2}));
  file.tensors.emplace("small", Tensor::of<std::int8_t>({2}, {-128, 127}));
  file.metadata = {{"split", "test"}, {"note", "\"quoted\" and ümlaut"}};
  return file;
}

/// A file of this header, as it stands, and so many bytes after it.
std::string framed(const std::string& header, std::size_t payload) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(payload, 'x');
}

ErrorCode code_of(const std::string& header, std::size_t payload) {
  const auto file = decode_safetensors(framed(header, payload), "test");
  return file.ok() ? ErrorCode{} : file.error().code;
}

std::string entry(const std::string& shape, const std::string& offsets, const std::string& dtype = "U8") {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST(Safetensors, round_trip_keeps_types_shapes_bytes_and_metadata) {
  const TensorFile before = example();
  const auto after = decode_safetensors(encode_safetensors(before), "test");
  ASSERT_TRUE(after.ok()) << after.error().message();
  EXPECT_EQ(after->metadata, before.metadata);
  ASSERT_EQ(after->tensors.size(), before.tensors.size());
  for (const auto& [name, tensor] : before.tensors) {
    const Tensor& got = after->tensors.at(name);
    EXPECT_EQ(got.dtype(), tensor.dtype()) << name;
    EXPECT_EQ(got.shape(), tensor.shape()) << name;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(got.bytes()), got.num_bytes()),
              std::string(reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()))
        << name;
  }
}

TEST(Safetensors, encoding_is_deterministic_and_aligned) {
  const std::string bytes = encode_safetensors(example());
  EXPECT_EQ(bytes, encode_safetensors(decode_safetensors(bytes, "").value()));
  EXPECT_EQ(static_cast<std::uint8_t>(bytes[0]) % 8, 0) << "the header is padded to 8 bytes";
}

TEST(Safetensors, rejects_every_truncation_and_any_trailing_byte) {
  const std::string bytes = encode_safetensors(example());
  ASSERT_TRUE(decode_safetensors(bytes, "").ok());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto file = decode_safetensors(bytes.substr(0, n), "cut");
    ASSERT_FALSE(file.ok()) << n;
    EXPECT_EQ(file.error().code, ErrorCode::kBadFormat) << n;
  }
  EXPECT_EQ(decode_safetensors(bytes + '\0', "").error().code, ErrorCode::kBadFormat);
}

TEST(Safetensors, rejects_a_header_length_beyond_the_file) {
  EXPECT_EQ(decode_safetensors(std::string(8, '\xff') + "{}", "").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(decode_safetensors(std::string(8, '\0'), "").error().code, ErrorCode::kBadFormat);
}

TEST(Safetensors, accepts_an_empty_file_of_the_format) { EXPECT_TRUE(decode_safetensors(framed("{}", 0), "").ok()); }

TEST(Safetensors, rejects_gaps_overlaps_and_offsets_outside) {
  const std::string good = entry("[2]", "[0,2]");
  EXPECT_EQ(code_of("{\"a\":" + good + "}", 2), ErrorCode{});
  EXPECT_EQ(code_of("{\"a\":" + good + ",\"b\":" + entry("[2]", "[3,5]") + "}", 5), ErrorCode::kBadFormat) << "gap";
  EXPECT_EQ(code_of("{\"a\":" + good + ",\"b\":" + entry("[2]", "[1,3]") + "}", 3), ErrorCode::kBadFormat) << "overlap";
  EXPECT_EQ(code_of("{\"a\":" + entry("[2]", "[1,3]") + "}", 3), ErrorCode::kBadFormat) << "gap at the start";
  EXPECT_EQ(code_of("{\"a\":" + good + ",\"b\":" + good + "}", 2), ErrorCode::kBadFormat) << "the same bytes twice";
  EXPECT_EQ(code_of("{\"a\":" + entry("[2]", "[2,0]") + "}", 2), ErrorCode::kBadFormat) << "backwards";
  EXPECT_EQ(code_of("{\"a\":" + entry("[9]", "[0,9]") + "}", 2), ErrorCode::kBadFormat) << "outside";
  EXPECT_EQ(code_of("{\"a\":" + entry("[2]", "[0,2,4]") + "}", 2), ErrorCode::kBadFormat) << "three offsets";
  EXPECT_EQ(code_of("{\"a\":" + entry("[2]", "[-2,0]") + "}", 2), ErrorCode::kBadFormat) << "negative";
}

TEST(Safetensors, refuses_bytes_named_many_times_before_it_copies_them) {
  constexpr std::size_t kBytes = std::size_t{1} << 22;
  std::string header = "{";
  for (int i = 0; i < 64; ++i) header += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\":" + entry("[4194304]", "[0,4194304]");
  const std::string bytes = framed(header + "}", kBytes);
  const auto peak_kib = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const auto before = peak_kib();
  EXPECT_EQ(decode_safetensors(bytes, "").error().code, ErrorCode::kBadFormat);
  EXPECT_LT(peak_kib() - before, 64 * 1024) << "the copies would be 256 MiB";
}

TEST(Safetensors, rejects_shapes_that_overflow_or_do_not_fit_the_bytes) {
  for (const char* shape :
       {"[3]", "[-2]", "[4611686018427387904,4611686018427387904]", "[18446744073709551615]", "[1e300]", "[2.0]", "[1,\"2\"]", "7"})
    EXPECT_EQ(code_of("{\"a\":" + entry(shape, "[0,2]") + "}", 2), ErrorCode::kBadFormat) << shape;
  // 2^62 four-byte elements are 2^64 bytes, which is zero where the product wraps.
  EXPECT_EQ(code_of("{\"a\":" + entry("[4611686018427387904]", "[0,0]", "F32") + "}", 0), ErrorCode::kBadFormat);
}

TEST(Safetensors, rejects_headers_that_are_not_the_formats) {
  for (const char* header : {"", "[]", "7", "{", "{\"a\":7}", "{\"a\":{}}", "{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,1]}}",
                             "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}"})
    EXPECT_EQ(code_of(header, 0), ErrorCode::kBadFormat) << header;
}

TEST(Safetensors, names_an_element_type_it_does_not_have) {
  const auto error = decode_safetensors(framed("{\"half\":" + entry("[1]", "[0,2]", "F16") + "}", 2), "model.safetensors").error();
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_EQ(error.got, "F16");
  EXPECT_THAT(error.where, HasSubstr("model.safetensors"));
  EXPECT_THAT(error.where, HasSubstr("half"));
}

TEST(TensorFile, get_checks_name_type_and_shape) {
  const TensorFile file = example();
  EXPECT_EQ((*file.get("labels", DType::kI64, {-1}))->data<std::int64_t>()[0], 7);
  const auto missing = file.get("none", DType::kF32, {}).error();
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.expected, HasSubstr("labels"));
  EXPECT_EQ(file.get("labels", DType::kF32, {-1}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(file.get("labels", DType::kI64, {4}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(file.get("labels", DType::kI64, {-1, -1}).error().code, ErrorCode::kMismatch);
}

TEST(WriteSafetensors, a_full_disk_leaves_the_old_file_wherever_it_strikes) {
  const testing::TemporaryFolder folder("safetensors");
  const auto path = folder / "f.safetensors";
  ASSERT_TRUE(write_safetensors(path, example()).ok());
  const std::string old = read_file(path).value();
  EXPECT_EQ(old, encode_safetensors(example()));
  TensorFile other = example();
  other.metadata["split"] = "train";
  const std::size_t size = encode_safetensors(other).size();
  for (const std::size_t room : {std::size_t{0}, std::size_t{8}, size / 2, size - 1}) {
    EXPECT_EQ(write_safetensors(path, other, testing::full_after(room)).error().code, ErrorCode::kIo);
    EXPECT_EQ(read_file(path).value(), old);
    EXPECT_EQ(folder.entries(), 1U);
  }
  EXPECT_EQ(read_safetensors(path)->metadata.at("split"), "test");
}

}  // namespace
}  // namespace hedge
