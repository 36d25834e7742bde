#include "train/internal/checkpoint.h"

#include <sstream>

#include "core/file.h"

namespace hedge::train::internal {
namespace {

constexpr const char* kSchema = "hedge-checkpoint-1";

void write_state(torch::serialize::OutputArchive& archive, const Checkpoint& state) {
  archive.write("schema", c10::IValue(std::string(kSchema)));
  archive.write("fingerprint", c10::IValue(state.fingerprint));
  archive.write("epochs_done", c10::IValue(state.epochs_done));
  archive.write("precision", c10::IValue(state.precision));
  archive.write("layout", c10::IValue(state.layout));
  archive.write("replicas", c10::IValue(state.replicas));
  archive.write("loss", c10::IValue(state.loss));
  archive.write("accuracy", c10::IValue(state.accuracy));
  archive.write("pictures_per_second", c10::IValue(state.pictures_per_second));
  if (state.length > 0) {
    archive.write("length", c10::IValue(state.length));
    archive.write("seconds", c10::IValue(state.seconds));
  }
  std::size_t index = 0;
  for (const auto& value : state.average) archive.write("average_" + std::to_string(index++), value.contiguous());
}

std::string read_text(torch::serialize::InputArchive& archive, const char* key) {
  c10::IValue value;
  archive.read(key, value);
  return value.toStringRef();
}

double read_number(torch::serialize::InputArchive& archive, const char* key) {
  c10::IValue value;
  archive.read(key, value);
  return value.toDouble();
}

std::map<std::string, torch::Tensor> read_weights(torch::serialize::InputArchive& archive, const TrainableGraph& graph) {
  std::map<std::string, torch::Tensor> weights;
  std::size_t index = 0;  // archive keys may not hold the dots and slashes of tensor names, so they are numbered
  for (const auto* group : {&graph.named_parameters(), &graph.named_buffers()})
    for (const auto& [name, value] : *group) {
      torch::Tensor tensor;
      archive.read("tensor_" + std::to_string(index++), tensor);
      weights.emplace(name, tensor);
    }
  return weights;
}

}  // namespace

Status save_checkpoint(const std::filesystem::path& path, const Checkpoint& state, const TrainableGraph& graph,
                       const torch::optim::Optimizer& optimizer) {
  std::ostringstream bytes;
  try {
    torch::serialize::OutputArchive archive;
    write_state(archive, state);
    std::size_t index = 0;
    for (const auto* group : {&graph.named_parameters(), &graph.named_buffers()})
      for (const auto& [name, value] : *group) archive.write("tensor_" + std::to_string(index++), value.detach().contiguous());
    torch::serialize::OutputArchive inner;
    optimizer.save(inner);
    archive.write("optimizer", inner);
    archive.save_to(bytes);
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("cannot serialise the checkpoint: ") + e.what(), .where = path.string()};
  }
  return write_file_atomic(path, bytes.view());
}

Result<std::optional<Checkpoint>> load_checkpoint(const std::filesystem::path& path, const std::string& fingerprint, TrainableGraph& graph,
                                                  torch::optim::Optimizer& optimizer) {
  auto bytes = read_file(path);
  if (!bytes) {
    if (bytes.error().code == ErrorCode::kNotFound) return std::optional<Checkpoint>();
    return std::move(bytes).error();
  }
  try {
    torch::serialize::InputArchive archive;
    std::istringstream stream(std::move(bytes).value());
    archive.load_from(stream, graph.device());  // wherever it was saved
    Checkpoint state;
    if (read_text(archive, "schema") != kSchema)
      return Error{.code = ErrorCode::kUnsupported, .what = "the checkpoint is of another version", .where = path.string()};
    state.fingerprint = read_text(archive, "fingerprint");
    if (state.fingerprint != fingerprint)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the checkpoint belongs to a run with other data, network or options",
                   .where = path.string(),
                   .got = state.fingerprint,
                   .expected = fingerprint,
                   .hint = "delete it, or name another one, to start anew"};
    c10::IValue epochs;
    archive.read("epochs_done", epochs);
    state.epochs_done = epochs.toInt();
    state.precision = read_text(archive, "precision");
    state.layout = read_text(archive, "layout");
    if (c10::IValue replicas; archive.try_read("replicas", replicas)) state.replicas = replicas.toInt();
    state.loss = read_number(archive, "loss");
    state.accuracy = read_number(archive, "accuracy");
    state.pictures_per_second = read_number(archive, "pictures_per_second");
    if (c10::IValue length; archive.try_read("length", length)) {
      state.length = length.toDouble();
      state.seconds = read_number(archive, "seconds");
    }
    for (torch::Tensor value; archive.try_read("average_" + std::to_string(state.average.size()), value);)
      state.average.push_back(value.clone());
    HEDGE_CHECK(graph.load(read_weights(archive, graph)));
    torch::serialize::InputArchive inner;
    archive.read("optimizer", inner);
    optimizer.load(inner);
    return std::optional<Checkpoint>(std::move(state));
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kBadFormat,
                 .what = std::string("not a checkpoint of this program: ") + std::string(e.what()).substr(0, 120),
                 .where = path.string(),
                 .hint = "delete it to start anew"};
  }
}

}  // namespace hedge::train::internal
