#include <string>

#include "codegen/internal/emit_text.h"

namespace hedge::codegen::internal {
namespace {

std::string num(std::int64_t value) { return std::to_string(value); }

std::string clamp_text(const micro::Clamp& c) { return c.is_needed() ? ", {" + num(c.low) + ", " + num(c.high) + "}" : ""; }
std::string plain_clamp(const micro::Clamp& c) { return "{" + num(c.low) + ", " + num(c.high) + "}"; }

std::string geometry_text(const micro::Geometry& g) {
  return "{" + num(g.in_height) + ", " + num(g.in_width) + ", " + num(g.channels) + ", " + num(g.kernel_height) + ", " +
         num(g.kernel_width) + ", " + num(g.stride_height) + ", " + num(g.stride_width) + ", " + num(g.pad_top) + ", " + num(g.pad_left) +
         ", " + num(g.out_height) + ", " + num(g.out_width) + ", " + num(g.input_zero) + "}";
}
std::string add_text(const micro::AddConstants& c) {
  return "{" + num(c.multiplier_a) + ", " + num(c.multiplier_b) + ", " + num(c.bias) + "}";
}
std::string form_text(const Layer& l) { return "<" + num(l.kernel_height) + ", " + num(l.stride_height) + ">"; }

/// Writes the steps one after the other.
class StepWriter {
 public:
  StepWriter(const Network& network, const Plan& plan, const EmitOptions& options)
      : n_(network), plan_(plan), layout_(layout_of(options.target)), compact_(is_compact(options.target, options.compact)) {}

  Result<StepCode> write() {
    for (index_ = 0; index_ < plan_.steps.size(); ++index_) {
      const auto& step = plan_.steps[index_];
      comment(step);
      if (step.group.rows)
        HEDGE_CHECK(write_block(step));
      else
        HEDGE_CHECK(write_layer(step));
    }
    return std::move(code_);
  }

 private:
  [[nodiscard]] std::string at(std::size_t activation) const {
    return "arena + " + num(plan_.buffers[*plan_.buffer_of[activation]].offset);
  }
  [[nodiscard]] std::string scratch(const Step& step) const {
    return step.scratch ? "arena + " + num(plan_.buffers[*step.scratch].offset) : "nullptr";
  }
  [[nodiscard]] std::string name(const char* kind) const { return std::string("k") + kind + num(static_cast<std::int64_t>(index_)); }

  void comment(const Step& step) {
    code_.calls += "  // " + num(static_cast<std::int64_t>(index_)) + ":";
    for (const auto l : step.group.layers) code_.calls += " " + printable(n_.layers[l].name);
    code_.calls += step.group.rows ? ", by rows\n" : "\n";
  }
  /// A layer's name as a comment can hold it.
  static std::string printable(const std::string& name) {
    std::string text;
    for (const char c : name.substr(0, 60)) text += c > ' ' && c < 127 && c != '\\' ? c : '_';
    return text;
  }

  /// Appends the layer's constants; gives the pointer to them.
  Result<std::string> stream(const Layer& layer, bool compact = false) {
    HEDGE_TRY(const auto words, pack_layer(layout_, n_, layer, compact));
    const auto begin = static_cast<std::int64_t>(code_.stream.size());
    code_.stream.insert(code_.stream.end(), words.begin(), words.end());
    return "kStream + " + num(begin);
  }
  Result<std::string> matrix(const Layer& layer) {
    HEDGE_TRY(const auto pointer, stream(layer));
    const auto& in = n_.activations[layer.inputs[0]];
    const auto& out = n_.activations[layer.output];
    const auto depth =
        layer.kind == LayerKind::kFullyConnected ? in.bytes() : std::int64_t{1} * layer.kernel_height * layer.kernel_width * in.channels;
    return "{" + pointer + ", " + num(depth) + ", " + num(out.channels) + ", " + num(out.zero_point) + clamp_text(clamp_of(layer)) + "}";
  }
  Result<std::string> depthwise(const Layer& layer, bool compact) {
    HEDGE_TRY(const auto pointer, stream(layer, compact));
    const auto& out = n_.activations[layer.output];
    return "{" + pointer + ", " + num(out.channels) + ", " + num(out.zero_point) + clamp_text(clamp_of(layer)) + "}";
  }
  std::string constant(const char* type, const char* kind, const std::string& value) {
    code_.constants += std::string("constexpr ") + type + " " + name(kind) + " = " + value + ";\n";
    return name(kind);
  }

  Status write_block(const Step& step) {
    const auto parts = row_block(n_, step.group);
    const auto form = block_form(n_, step.group);
    // micro::Block's members in their order: C++17 has no names for them.
    std::string text = "{\n";
    text += form.has_front_conv ? "    &" + constant("Geometry", "Front", geometry_text(form.front)) + ",\n" : "    nullptr,\n";
    std::string front = "{}";
    if (parts.source) {
      HEDGE_TRY(front, matrix(*parts.source));
    }
    HEDGE_TRY(const auto middle, depthwise(*parts.depthwise, false));
    HEDGE_TRY(const auto project, matrix(*parts.projection));
    text += "    " + front + ",\n    " + geometry_text(form.block.geometry) + ",\n    " + middle + ",\n    " + project + ",\n";
    if (parts.add) {
      HEDGE_TRY(const auto add, add_constants(n_, step.group));
      text += "    true,\n    " + add_text(add) + ",\n    " + plain_clamp(clamp_of(*parts.add)) + ",\n";
    } else {
      text += "    false,\n    {},\n    {},\n";
    }
    text += "    " + num(form.block.slack_rows) + "}";
    call("run_block" + form_text(*parts.depthwise) + "(" + constant("Block", "Block", text) + ", " + at(parts.input) + ", " +
         at(parts.output) + ", " + scratch(step));
    return {};
  }

  void call(const std::string& text) { code_.calls += "  " + text + ");\n"; }

  Status write_layer(const Step& step) {
    const auto& l = n_.layers[step.group.layers[0]];
    const auto in = at(l.inputs[0]), out = at(n_.layers[step.group.layers.back()].output);
    const auto& shape = n_.activations[l.output];
    const auto pixels = num(std::int64_t{1} * shape.height * shape.width);
    if (l.general) return write_general(l, in, out);
    switch (l.kind) {
      case LayerKind::kConv: return write_conv(step, l, in, out, pixels);
      case LayerKind::kDepthwise: {
        HEDGE_TRY(const auto constants, depthwise(l, compact_));
        call((compact_ ? "depthwise_compact" : "depthwise") + form_text(l) + "(" +
             constant("Geometry", "Geometry", geometry_text(geometry_of(n_, l))) + ", " + constant("Depthwise", "Depthwise", constants) +
             ", " + in + ", " + out + ", " + scratch(step));
        return {};
      }
      case LayerKind::kFullyConnected: {
        HEDGE_TRY(const auto constants, matrix(l));
        call("fully_connected(" + constant("Matrix", "Matrix", constants) + ", " + in + ", " + out + ", " + scratch(step));
        return {};
      }
      case LayerKind::kAdd: {
        HEDGE_TRY(const auto constants, add_constants(n_, step.group));
        call("add(" + in + ", " + at(l.inputs[1]) + ", " + num(shape.bytes()) + ", " + add_text(constants) + ", " +
             plain_clamp(clamp_of(l)) + ", " + out);
        return {};
      }
      case LayerKind::kMul: return write_mul(l, in, out);
      case LayerKind::kConcat: {
        std::int64_t first = 0;
        for (const auto input : l.inputs) {
          const auto channels = n_.activations[input].channels;
          call("copy_channels(" + at(input) + ", " + pixels + ", " + num(channels) + ", " + out + " + " + num(first) + ", " +
               num(shape.channels));
          first += channels;
        }
        return {};
      }
      case LayerKind::kTable: {
        HEDGE_TRY(const auto table, stream(l));
        call("look_up(" + table + ", " + in + ", " + num(shape.bytes()) + ", " + out);
        return {};
      }
      case LayerKind::kMean: {
        HEDGE_TRY(const auto c, mean_constants(n_, l));
        call("mean(" + constant("Geometry", "Geometry", geometry_text(geometry_of(n_, l))) + ", " + in + ", {{" + num(c.by.mantissa) +
             ", " + num(c.by.shift) + "}, " + num(c.bias) + ", " + num(c.output_zero) + "}, " + plain_clamp(clamp_of(l)) + ", " + out);
        return {};
      }
      default: write_pool(l, in, out); return {};
    }
  }

  Status write_conv(const Step& step, const Layer& l, const std::string& in, const std::string& out, const std::string& pixels) {
    HEDGE_TRY(const auto values, matrix(l));
    const auto constants = constant("Matrix", "Matrix", values);
    if (!is_pointwise(l)) {
      call("conv(" + constant("Geometry", "Geometry", geometry_text(geometry_of(n_, l))) + ", " + constants + ", " + in + ", " + out +
           ", " + scratch(step));
    } else if (step.group.add) {
      HEDGE_TRY(const auto add, add_constants(n_, step.group));
      const auto residual = constant("Residual", "Residual",
                                     "{" + at(residual_of(n_, step.group)) + ", " + add_text(add) + ", " +
                                         plain_clamp(clamp_of(n_.layers[step.group.layers.back()])) + "}");
      call("pointwise_add(" + constants + ", " + in + ", " + pixels + ", " + residual + ", " + out + ", " + scratch(step));
    } else {
      call("pointwise(" + constants + ", " + in + ", " + pixels + ", " + out + ", " + scratch(step));
    }
    return {};
  }

  Status write_general(const Layer& l, const std::string& in, const std::string& out) {
    HEDGE_TRY(const auto pointer, stream(l));
    const auto& shape = n_.activations[l.output];
    auto geometry = geometry_of(n_, l);
    if (l.kind == LayerKind::kFullyConnected)
      geometry = {.channels = static_cast<std::int32_t>(n_.activations[l.inputs[0]].bytes()), .input_zero = geometry.input_zero};
    const auto values = "{" + pointer + ", " + num(shape.channels) + ", " + num(shape.zero_point) + clamp_text(clamp_of(l)) + "}";
    call(std::string("general_conv<") + (l.kind == LayerKind::kDepthwise ? "true" : "false") + ">(" +
         constant("Geometry", "Geometry", geometry_text(geometry)) + ", " + constant("General", "General", values) + ", " + in + ", " +
         out);
    return {};
  }

  Status write_mul(const Layer& l, const std::string& in, const std::string& out) {
    HEDGE_TRY(const auto c, mul_constants(n_, l));
    const auto all = n_.activations[l.output].bytes(), repeated = n_.activations[l.inputs[1]].bytes();
    call("mul(" + in + ", " + at(l.inputs[1]) + ", " + num(all / repeated) + ", " + num(repeated) + ", {" + num(c.a_zero) + ", " +
         num(c.b_zero) + ", " + num(c.output_zero) + ", " + num(c.multiplier) + "}, " + plain_clamp(clamp_of(l)) + ", " + out);
    return {};
  }

  void write_pool(const Layer& l, const std::string& in, const std::string& out) {
    const auto g = geometry_of(n_, l);
    const auto clamp = plain_clamp(clamp_of(l));
    const bool global =
        g.out_height * g.out_width == 1 && g.kernel_height == g.in_height && g.kernel_width == g.in_width && g.pad_top + g.pad_left == 0;
    if (l.kind == LayerKind::kAveragePool && global) {
      call("global_average_pool(" + in + ", " + num(g.in_height * g.in_width) + ", " + num(g.channels) + ", " + clamp + ", " + out);
      return;
    }
    call(std::string(l.kind == LayerKind::kMaxPool ? "max_pool(" : "average_pool(") + constant("Geometry", "Geometry", geometry_text(g)) +
         ", " + in + ", " + clamp + ", " + out);
  }

  const Network& n_;
  const Plan& plan_;
  micro::Layout layout_;
  bool compact_;
  std::size_t index_ = 0;
  StepCode code_;
};

}  // namespace

Result<StepCode> step_code(const Network& network, const Plan& plan, const EmitOptions& options) {
  return StepWriter(network, plan, options).write();
}

}  // namespace hedge::codegen::internal
