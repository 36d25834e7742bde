#include "oip/internal/codec.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "oip/classification.h"

namespace hedge::oip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A request with one input "x" of `datatype` and `shape`, without contents.
inference::ModelInferRequest request_of(const std::string& datatype, const Shape& shape) {
  inference::ModelInferRequest request;
  auto& input = *request.add_inputs();
  input.set_name("x");
  input.set_datatype(datatype);
  input.mutable_shape()->Add(shape.begin(), shape.end());
  return request;
}

TEST(Codec, every_dtype_survives_the_wire_bit_by_bit) {
  for (auto dtype : {DType::kF32, DType::kU8, DType::kI8, DType::kI32, DType::kI64, DType::kBool}) {
    Tensor tensor(dtype, {2, 3});
    for (std::size_t i = 0; i < tensor.num_bytes(); ++i) tensor.bytes()[i] = std::byte(dtype == DType::kBool ? i % 2 : 7 * i + 1);
    inference::ModelInferRequest request;
    const std::vector<NamedView> inputs = {{"x", tensor.view()}};
    write_inputs(inputs, request);
    const auto read = read_inputs(request);
    ASSERT_TRUE(read.ok()) << read.error().message();
    ASSERT_EQ(read->size(), 1u);
    const auto view = read->front().view();
    EXPECT_EQ(view.dtype, dtype);
    EXPECT_EQ(view.shape, (Shape{2, 3}));
    EXPECT_EQ(std::memcmp(view.bytes, tensor.bytes(), tensor.num_bytes()), 0) << to_string(dtype);
    EXPECT_EQ(*dtype_of_name(datatype_of(dtype)), dtype);
  }
}

TEST(Codec, raw_inputs_are_borrowed_not_copied) {
  auto request = request_of("UINT8", {3});
  request.add_raw_input_contents("abc");
  const auto read = read_inputs(request);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(static_cast<const void*>(read->front().view().bytes), request.raw_input_contents(0).data());
}

TEST(Codec, typed_contents_are_read) {
  auto request = request_of("UINT8", {2});
  request.mutable_inputs(0)->mutable_contents()->add_uint_contents(0);
  request.mutable_inputs(0)->mutable_contents()->add_uint_contents(255);
  const auto bytes = read_inputs(request);
  ASSERT_TRUE(bytes.ok());
  EXPECT_THAT(bytes->front().view().data<std::uint8_t>(), ElementsAre(0, 255));

  request = request_of("INT8", {1, 1});
  request.mutable_inputs(0)->mutable_contents()->add_int_contents(-128);
  const auto signed_bytes = read_inputs(request);
  ASSERT_TRUE(signed_bytes.ok());
  EXPECT_THAT(signed_bytes->front().view().data<std::int8_t>(), ElementsAre(-128));

  request = request_of("FP32", {});
  request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1.5f);
  const auto scalar = read_inputs(request);
  ASSERT_TRUE(scalar.ok());
  EXPECT_THAT(scalar->front().view().data<float>(), ElementsAre(1.5f));
}

TEST(Codec, an_empty_tensor_is_read_from_either_form) {
  auto request = request_of("FP32", {0, 4});
  EXPECT_TRUE(read_inputs(request).ok());
  request.add_raw_input_contents("");
  const auto read = read_inputs(request);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->front().view().shape, (Shape{0, 4}));
}

struct Malformed {
  const char* name;
  ErrorCode code;
  const char* text;
  std::function<inference::ModelInferRequest()> make;
};

TEST(Codec, refuses_malformed_inputs_naming_the_fault) {
  const auto raw = [](const std::string& datatype, const Shape& shape, const std::string& bytes) {
    auto request = request_of(datatype, shape);
    request.add_raw_input_contents(bytes);
    return request;
  };
  const std::vector<Malformed> cases = {
      {"raw and typed", ErrorCode::kMismatch, "together",
       [&] {
         auto request = raw("UINT8", {1}, "a");
         request.mutable_inputs(0)->mutable_contents()->add_uint_contents(1);
         return request;
       }},
      {"too many raw buffers", ErrorCode::kMismatch, "2 raw buffers",
       [&] {
         auto request = raw("UINT8", {1}, "a");
         request.add_raw_input_contents("b");
         return request;
       }},
      {"too few raw bytes", ErrorCode::kMismatch, "7 bytes", [&] { return raw("FP32", {2}, "1234567"); }},
      {"too many raw bytes", ErrorCode::kMismatch, "9 bytes", [&] { return raw("FP32", {2}, "123456789"); }},
      {"negative dimension", ErrorCode::kMismatch, "[-1, 2]",
       [&] {
         return raw("UINT8", {-1, 2}, "ab");
       }},
      {"overflowing shape", ErrorCode::kMismatch, "not usable",
       [&] {
         return raw("INT64", {std::numeric_limits<std::int64_t>::max(), 8}, "ab");
       }},
      {"huge shape without bytes", ErrorCode::kMismatch, "0 elements",
       [&] {
         return request_of("FP32", {1 << 20, 1 << 20});
       }},
      {"unknown datatype", ErrorCode::kMismatch, "unknown datatype", [&] { return raw("float32", {1}, "1234"); }},
      {"no datatype", ErrorCode::kMismatch, "unknown datatype", [&] { return raw("", {1}, "1234"); }},
      {"half precision", ErrorCode::kUnsupported, "FP16", [&] { return raw("FP16", {1}, "12"); }},
      {"bytes", ErrorCode::kUnsupported, "BYTES", [&] { return raw("BYTES", {1}, std::string("\1\0\0\0a", 5)); }},
      {"no contents", ErrorCode::kMismatch, "0 elements", [&] { return request_of("FP32", {1}); }},
      {"another field", ErrorCode::kMismatch, "not the datatype's",
       [&] {
         auto request = request_of("FP32", {1});
         request.mutable_inputs(0)->mutable_contents()->add_fp64_contents(1);
         return request;
       }},
      {"two fields", ErrorCode::kMismatch, "not the datatype's",
       [&] {
         auto request = request_of("FP32", {2});
         request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
         request.mutable_inputs(0)->mutable_contents()->add_fp64_contents(1);
         return request;
       }},
      {"byte above its range", ErrorCode::kMismatch, "256",
       [&] {
         auto request = request_of("UINT8", {1});
         request.mutable_inputs(0)->mutable_contents()->add_uint_contents(256);
         return request;
       }},
      {"signed byte below its range", ErrorCode::kMismatch, "-129",
       [&] {
         auto request = request_of("INT8", {1});
         request.mutable_inputs(0)->mutable_contents()->add_int_contents(-129);
         return request;
       }},
  };
  for (const auto& malformed : cases) {
    const auto request = malformed.make();
    const auto read = read_inputs(request);
    ASSERT_FALSE(read.ok()) << malformed.name;
    EXPECT_EQ(read.error().code, malformed.code) << malformed.name;
    EXPECT_THAT(read.error().message(), HasSubstr(malformed.text)) << malformed.name;
  }
}

inference::ModelInferResponse two_outputs() {
  inference::ModelInferResponse response;
  write_output("a", Tensor::of<float>({2}, {1.0f, 2.0f}), response);
  write_output("b", Tensor::of<std::int32_t>({1}, {7}), response);
  return response;
}

TEST(Codec, answers_are_raw_and_read_in_the_order_asked_for) {
  const auto response = two_outputs();
  EXPECT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_FALSE(response.outputs(0).has_contents());
  const auto read = read_outputs(response, {"b", "a"});
  ASSERT_TRUE(read.ok());
  EXPECT_THAT((*read)[0].data<std::int32_t>(), ElementsAre(7));
  EXPECT_THAT((*read)[1].data<float>(), ElementsAre(1.0f, 2.0f));
  EXPECT_EQ(read_outputs(response, {})->size(), 2u);
}

TEST(Codec, typed_answers_of_other_servers_are_read) {
  inference::ModelInferResponse response;
  auto& output = *response.add_outputs();
  output.set_name("a");
  output.set_datatype("INT64");
  output.add_shape(1);
  output.mutable_contents()->add_int64_contents(-5);
  const auto read = read_outputs(response, {"a"});
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_THAT((*read)[0].data<std::int64_t>(), ElementsAre(-5));
}

TEST(Codec, an_answer_that_breaks_the_protocol_is_a_bad_format) {
  auto response = two_outputs();
  EXPECT_EQ(read_outputs(response, {"c"}).error().code, ErrorCode::kBadFormat);
  response.mutable_raw_output_contents()->RemoveLast();
  EXPECT_EQ(read_outputs(response, {}).error().code, ErrorCode::kBadFormat);
  response = two_outputs();
  response.mutable_raw_output_contents(0)->pop_back();
  EXPECT_EQ(read_outputs(response, {}).error().code, ErrorCode::kBadFormat);
}

TEST(Codec, metadata_round_trips_and_refuses_what_it_cannot_hold) {
  inference::ModelMetadataResponse metadata;
  write_spec({"x", DType::kU8, {-1, 28, 28, 1}}, *metadata.add_inputs());
  auto specs = read_specs(metadata.inputs());
  ASSERT_TRUE(specs.ok());
  EXPECT_EQ(specs->front().shape, (Shape{-1, 28, 28, 1}));
  EXPECT_EQ(specs->front().dtype, DType::kU8);
  metadata.mutable_inputs(0)->set_datatype("BF16");
  EXPECT_EQ(read_specs(metadata.inputs()).error().code, ErrorCode::kUnsupported);
  metadata.mutable_inputs(0)->set_datatype("FP32");
  metadata.mutable_inputs(0)->set_shape(0, -2);
  EXPECT_EQ(read_specs(metadata.inputs()).error().code, ErrorCode::kBadFormat);
}

/// The elements of a BYTES tensor.
std::vector<std::string> elements(const std::string& bytes) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + at, 4);
    texts.push_back(bytes.substr(at + 4, length));
    at += 4 + length;
  }
  return texts;
}

TEST(Classification, gives_the_best_classes_of_each_row_with_labels) {
  const auto scores = Tensor::of<float>({2, 3}, {0.25f, 0.5f, 0.25f, 3.0f, 1.0f, 2.0f});
  const auto classes = classify(scores, 2, {"cat", "dog"});
  ASSERT_TRUE(classes.ok());
  EXPECT_EQ(classes->shape, (Shape{2, 2}));
  EXPECT_THAT(elements(classes->bytes), ElementsAre("0.500000:1:dog", "0.250000:0:cat", "3.000000:0:cat", "2.000000:2"));
}

TEST(Classification, cuts_the_count_and_puts_nan_last) {
  const auto scores = Tensor::of<float>({3}, {std::nanf(""), -1.0f, 2.0f});
  const auto classes = classify(scores, 99, {});
  ASSERT_TRUE(classes.ok());
  EXPECT_EQ(classes->shape, (Shape{3}));
  EXPECT_THAT(elements(classes->bytes), ElementsAre("2.000000:2", "-1.000000:1", HasSubstr("nan:0")));
}

TEST(Classification, refuses_scalars_and_counts_below_one) {
  EXPECT_EQ(classify(Tensor::of<float>({}, {1.0f}), 1, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(classify(Tensor::of<float>({1}, {1.0f}), 0, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(classify(Tensor(DType::kF32, {0, 3}), 2, {})->bytes.empty());
}

TEST(Codec, a_models_names_and_identity_travel_as_properties) {
  inference::ModelMetadataResponse metadata;
  EXPECT_TRUE(read_card(metadata, "m").value().labels.empty()) << "a server of another maker";
  write_card({.labels = {"", "caf\xc3\xa9", "a\"b"}, .sha256 = "abc", .recipe = "{}"}, metadata);
  const auto card = read_card(metadata, "m");
  ASSERT_TRUE(card.ok()) << card.error().message();
  EXPECT_EQ(card->labels, (std::vector<std::string>{"", "caf\xc3\xa9", "a\"b"}));
  EXPECT_EQ(card->sha256, "abc");
  EXPECT_EQ(card->recipe, "{}");
  for (const char* names : {"cat", "{}", "[1]", "["}) {
    (*metadata.mutable_properties())["hedge.labels"] = names;
    EXPECT_EQ(read_card(metadata, "m").error().code, ErrorCode::kBadFormat) << names;
  }
}

}  // namespace
}  // namespace hedge::oip
