#include "workflow/latency_table.h"

#include <algorithm>
#include <sstream>

#include "core/file.h"
#include "core/json.h"
#include "core/sha256.h"
#include "graph/builder.h"
#include "graph/operators.h"
#include "graph/segments.h"
#include "infer/openvino/openvino_executor.h"
#include "workflow/measure.h"

namespace hedge::workflow {
namespace {

constexpr int kSchema = 1;

/// The processor's name and OpenVINO's version.
std::string this_machine() {
  std::string processor = "unknown processor";
  if (const auto text = read_file("/proc/cpuinfo")) {
    const auto at = text->find("model name");
    const auto colon = text->find(": ", at);
    if (at != std::string::npos && colon != std::string::npos) processor = text->substr(colon + 2, text->find('\n', colon) - colon - 2);
  }
  return processor + ", OpenVINO " + infer::openvino_version();
}

Result<double> measured(const graph::Graph& graph, int threads) {
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(graph, {.threads = threads, .as = infer::OpenAs::kAsItIs}));
  HEDGE_TRY(const auto latency, measure_latency(*executor, {.runs = 100, .budget_s = 0.2}));
  return latency.p50_ms;
}

bool is_map(const Shape& shape) { return shape.size() == 4; }

/// A 1x1 convolution of `x`, a map of shape `shape`, to `channels` channels.
std::string pointwise(graph::Builder& builder, const std::string& x, const Shape& shape, std::int64_t channels) {
  return builder.op("Conv", {x, builder.constant("weight", Tensor(DType::kF32, {channels, shape[1], 1, 1}))},
                    {{"kernel_shape", std::vector<std::int64_t>{1, 1}}}, "pointwise");
}

/// `next` behind `graph`, whose only output it reads.
Result<graph::Graph> joined(graph::Graph graph, const graph::Graph& next, const std::string& prefix) {
  const std::string joint = graph.outputs[0].name;
  const auto renamed = [&](const std::string& name) { return name.empty() ? name : name == next.inputs[0].name ? joint : prefix + name; };
  for (auto node : next.nodes) {
    node.name = prefix + node.name;
    for (auto& name : node.inputs) name = renamed(name);
    for (auto& name : node.outputs) name = renamed(name);
    graph.nodes.push_back(std::move(node));
  }
  for (const auto& [name, value] : next.initializers) graph.initializers.emplace(prefix + name, value);
  graph.outputs = {next.outputs[0]};
  graph.outputs[0].name = renamed(next.outputs[0].name);
  HEDGE_CHECK(graph::validate(graph));
  return graph;
}

/// A 1x1 convolution between a map of one channel and one of `shape`: what stands before (`widens`) or behind a part while it is measured,
/// so that its maps lie in memory as in the middle of a network.
Result<graph::Graph> neighbour(const Shape& shape, bool widens) {
  graph::Builder builder("neighbour");
  Shape thin = shape;
  thin[1] = 1;
  const Shape& from = widens ? thin : shape;
  builder.output(pointwise(builder, builder.input("x", DType::kF32, from), from, widens ? shape[1] : 1));
  return std::move(builder).build();
}

/// Both neighbours of a map, without anything between them.
Result<double> measured_neighbours(const Shape& shape, int threads) {
  HEDGE_TRY(auto before, neighbour(shape, true));
  HEDGE_TRY(const auto behind, neighbour(shape, false));
  HEDGE_TRY(const auto both, joined(std::move(before), behind, "behind/"));
  return measured(both, threads);
}

/// The least that a call takes: of a graph that computes next to nothing.
Result<double> measured_call(int threads) {
  graph::Builder builder("nothing");
  builder.output(builder.op("Relu", {builder.input("x", DType::kF32, {-1, 1})}, {}, "y"));
  HEDGE_TRY(const auto graph, std::move(builder).build());
  return measured(graph, threads);
}

std::string described(const graph::Graph& part) {
  std::ostringstream text;
  for (const auto& node : part.nodes) text << (text.tellp() > 0 ? " " : "") << node.op;
  text << " on " << to_string(part.inputs[0].shape);
  return text.str();
}

}  // namespace

Result<LatencyTable> LatencyTable::open(const std::filesystem::path& file, int threads) {
  LatencyTable table;
  table.file_ = file;
  table.threads_ = threads;
  table.machine_ = this_machine();
  if (!std::filesystem::exists(file)) return table;
  const auto where = file.string();
  HEDGE_TRY(const auto json, read_json(file));
  HEDGE_TRY(const auto schema, get_field<int>(json, "schema", where));
  if (schema != kSchema)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "a table of another schema",
                 .where = where,
                 .got = std::to_string(schema),
                 .expected = std::to_string(kSchema)};
  HEDGE_TRY(const auto measured_with, get_field<int>(json, "threads", where));
  if (measured_with != threads)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the latencies are for another number of threads",
                 .where = where,
                 .got = std::to_string(measured_with),
                 .expected = std::to_string(threads)};
  HEDGE_TRY(table.machine_, get_field<std::string>(json, "machine", where));
  HEDGE_TRY(table.call_ms_, get_field<double>(json, "call_ms", where));
  HEDGE_TRY(const auto parts, get_field<Json>(json, "parts", where));
  for (const auto& [key, entry] : parts.items()) {
    Part part;
    HEDGE_TRY(part.what, get_field<std::string>(entry, "what", where));
    HEDGE_TRY(part.ms, get_field<double>(entry, "ms", where));
    if (!(part.ms >= 0)) return Error{.code = ErrorCode::kBadFormat, .what = "a negative time", .where = where, .got = entry.dump()};
    table.parts_.emplace(key, std::move(part));
  }
  return table;
}

Result<double> LatencyTable::latency_ms(const graph::Graph& graph) {
  HEDGE_TRY(const auto parts, graph::segments(graph));
  const auto known = parts_.size();
  double sum = 0;
  for (const auto& part : parts) {
    HEDGE_TRY(const double ms, part_ms(part));
    sum += ms;
  }
  if (parts_.size() > known) HEDGE_CHECK(save());
  return call_ms_ + sum;
}

Result<double> LatencyTable::neighbours_ms(const Shape& shape) {
  if (!is_map(shape)) return call_ms_;
  if (const auto found = neighbours_.find(shape); found != neighbours_.end()) return found->second;
  HEDGE_TRY(const double ms, measured_neighbours(shape, threads_));
  return neighbours_[shape] = ms;
}

/// What `part` adds to a network that it stands in the middle of. Its neighbours are taken off, half of a pair of them for each side;
/// where there is none, half of a call.
Result<double> LatencyTable::measured_part(const graph::Graph& part) {
  const auto &in = part.inputs[0].shape, &out = part.outputs[0].shape;
  graph::Graph whole = part;
  if (is_map(in)) {
    HEDGE_TRY(auto before, neighbour(in, true));
    HEDGE_TRY(whole, joined(std::move(before), part, "part/"));
  }
  if (is_map(out)) {
    HEDGE_TRY(const auto behind, neighbour(out, false));
    HEDGE_TRY(whole, joined(std::move(whole), behind, "behind/"));
  }
  HEDGE_TRY(const double at_start, neighbours_ms(in));
  HEDGE_TRY(const double at_end, neighbours_ms(out));
  HEDGE_TRY(const double ms, measured(whole, threads_));
  return std::max(0.0, ms - (at_start + at_end) / 2);
}

Result<double> LatencyTable::part_ms(const graph::Graph& part) {
  HEDGE_TRY(const auto form, graph::form_of(part));
  const auto key = sha256_hex(form).substr(0, 16);
  if (const auto found = parts_.find(key); found != parts_.end()) return found->second.ms;
  if (machine_ != this_machine())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the table of latencies lacks a part of this network, and it is another machine's",
                 .where = file_.string() + ": " + described(part),
                 .got = this_machine(),
                 .expected = machine_,
                 .hint = "run the same command there, or begin a new table here"};
  if (call_ms_ < 0) {
    HEDGE_TRY(call_ms_, measured_call(threads_));
  }
  HEDGE_TRY(const double ms, measured_part(part));
  const Part made{described(part), ms};
  return parts_.emplace(key, made).first->second.ms;
}

Status LatencyTable::save() const {
  Json json = {{"schema", kSchema}, {"machine", machine_}, {"threads", threads_}, {"call_ms", call_ms_}};
  for (const auto& [key, part] : parts_) json["parts"][key] = {{"what", part.what}, {"ms", part.ms}};
  return write_json(file_, json);
}

}  // namespace hedge::workflow
