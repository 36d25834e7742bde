#pragma once

#include <open_inference_grpc.pb.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/executor.h"
#include "hedge/remote.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::oip {

/// Properties of a model's metadata; the identity is also a parameter of every answer.
inline constexpr const char* kLabelsKey = "hedge.labels";
inline constexpr const char* kSha256Key = "hedge.sha256";
inline constexpr const char* kRecipeKey = "hedge.recipe";

/// The protocol's name of an element type: "FP32", "UINT8", …
const char* datatype_of(DType dtype);
/// The element type of a protocol name. Errors: kUnsupported for a datatype that the protocol has and Hedge has not (FP16, BYTES, …);
/// kMismatch for a name that the protocol does not know.
Result<DType> dtype_of_name(std::string_view datatype);

/// One tensor read from a message: it borrows the message's raw bytes, or owns what was written as typed contents.
struct ReadTensor {
  std::string name;
  Tensor owned;  ///< used where `borrowed.bytes` is null
  TensorView borrowed;

  [[nodiscard]] TensorView view() const { return borrowed.bytes ? borrowed : owned.view(); }
};

/// The inputs of a request, in its order. The result borrows from `request`.
/// Errors (kMismatch or kUnsupported, `where` = the input): raw and typed contents together; as many raw buffers as inputs missing or
/// left over; a negative dimension; an unknown datatype; a size that does not follow from shape and datatype; a value outside its type.
Result<std::vector<ReadTensor>> read_inputs(const inference::ModelInferRequest& request);

/// Adds `inputs` to the request, raw. The views must be dense and their shapes without negative dimensions.
void write_inputs(std::span<const NamedView> inputs, inference::ModelInferRequest& request);

/// Adds one raw output to the response.
void write_output(const std::string& name, const TensorView& tensor, inference::ModelInferResponse& response);

/// The tensors of an answer, raw or typed, in the order of `names` (empty: the answer's own order).
/// Errors: kBadFormat where the answer breaks the protocol or lacks an output; kUnsupported for a datatype outside DType.
Result<std::vector<Tensor>> read_outputs(const inference::ModelInferResponse& response, const std::vector<std::string>& names);

/// Name, datatype and shape of metadata. Errors: kUnsupported for a datatype outside DType; kBadFormat for a dimension below -1.
Result<std::vector<TensorSpec>> read_specs(
    const google::protobuf::RepeatedPtrField<inference::ModelMetadataResponse::TensorMetadata>& tensors);
void write_spec(const TensorSpec& spec, inference::ModelMetadataResponse::TensorMetadata& tensor);

/// What a server says of its model besides the tensors, in the metadata's properties "hedge.labels" (a JSON array of names),
/// "hedge.sha256" and "hedge.recipe". Errors of reading: kBadFormat, with `where`.
Result<RemoteCard> read_card(const inference::ModelMetadataResponse& metadata, const std::string& where);
void write_card(const RemoteCard& card, inference::ModelMetadataResponse& metadata);

}  // namespace hedge::oip
