#include "infer/openvino/internal/image_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <openvino/opsets/opset8.hpp>
#include <optional>
#include <set>

#include "infer/openvino/internal/walk.h"

namespace hedge::infer::internal {
namespace op = ov::opset8;

namespace {

using Axes = std::array<std::size_t, 4>;  ///< which axis of the input lies at each place of a tensor

constexpr double kGrid = 255;        // steps of an 8-bit range
constexpr double kSameSteps = 1.5;   // a converter's rounding of the range: two ends of one grid differ by less
constexpr double kSameRange = 0.02;  // a range measured on images differs from the whole one by less than this share

/// The axis whose channels a constant [1, C, 1, 1] (in any place) tells apart.
std::optional<std::size_t> channel_axis_of(const ov::Node& node, const ov::Output<ov::Node>& constant, std::int64_t channels) {
  const auto& shape = constant.get_partial_shape();
  if (channels < 2 || shape.is_dynamic() || node.get_input_size() != 2) return std::nullopt;
  std::optional<std::size_t> axis;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (axis || shape[i] != channels) return std::nullopt;
    axis = i + 4 - shape.size();
  }
  return axis;
}

/// The place of the channels where a mean over the other two axes says it.
std::optional<std::size_t> kept_by_mean(const ov::Node& node) {
  const auto& from = node.get_input_partial_shape(0);
  const auto& to = node.get_output_partial_shape(0);
  if (!ov::is_type<op::ReduceMean>(&node) || to.rank() != 4) return std::nullopt;
  const auto reduced = [&](std::size_t i) { return to[i] == 1 && from[i] != 1; };
  if (reduced(2) && reduced(3) && !reduced(1)) return 1;
  if (reduced(1) && reduced(2) && !reduced(3)) return 3;
  return std::nullopt;
}

/// Follows the image through the model to the operators that say where its channels are.
class LayoutSearch {
 public:
  LayoutSearch(const std::shared_ptr<ov::Model>& model, std::int64_t channels) : varying_(varying_nodes(model)), channels_(channels) {
    follow(model->input(0), {0, 1, 2, 3});
  }
  /// 1 or 3 where all evidence agrees.
  [[nodiscard]] std::optional<std::size_t> channel_axis() const {
    return found_.size() == 1 && (*found_.begin() == 1 || *found_.begin() == 3) ? std::optional(*found_.begin()) : std::nullopt;
  }

 private:
  void follow(const ov::Output<ov::Node>& port, const Axes& axes) {
    for (const auto& target : port.get_target_inputs()) {
      auto* node = target.get_node();
      if (!seen_.insert(node).second) continue;
      if (target.get_index() == 0 && (ov::is_type<op::Convolution>(node) || ov::is_type<op::GroupConvolution>(node) || is_pool(*node))) {
        found_.insert(axes[1]);
      } else if (const auto kept = kept_by_mean(*node)) {
        found_.insert(axes[*kept]);
      } else if (ov::is_type<op::Transpose>(node)) {
        turn(*node, axes);
      } else if (passes(*node, target.get_index(), axes)) {
        follow(node->output(0), axes);
      }
    }
  }

  static bool is_pool(const ov::Node& node) {
    const std::string type = node.get_type_name();
    return type == "MaxPool" || type == "AvgPool";
  }

  void turn(ov::Node& node, const Axes& axes) {
    const auto order = ov::as_type_ptr<op::Constant>(node.get_input_node_shared_ptr(1));
    if (!order) return;
    const auto places = order->cast_vector<std::size_t>();
    if (places.size() != 4) return;
    Axes turned{};
    for (std::size_t i = 0; i < 4; ++i) turned[i] = axes[std::min<std::size_t>(places[i], 3)];
    follow(node.output(0), turned);
  }

  /// An operator that keeps the axes: element by element, with constants beside the image, or around it.
  bool passes(const ov::Node& node, std::size_t index, const Axes& axes) {
    if (node.get_output_size() != 1 || node.get_output_partial_shape(0).rank() != 4) return false;
    for (std::size_t i = 0; i < node.get_input_size(); ++i) {
      if (i == index) continue;
      if (varying_.count(node.get_input_node_ptr(i)) > 0) return false;
      const std::string type = node.get_type_name();
      if (type != "Add" && type != "Subtract" && type != "Multiply" && type != "Divide") continue;
      if (const auto axis = channel_axis_of(node, node.input_value(i), channels_)) found_.insert(axes[*axis]);
    }
    const std::string type = node.get_type_name();
    return type != "Reshape" && type != "Gather" && type != "Concat" && type != "MatMul" && type.rfind("Reduce", 0) != 0;
  }

  std::unordered_set<const ov::Node*> varying_;
  std::int64_t channels_;
  std::set<const ov::Node*> seen_;
  std::set<std::size_t> found_;
};

Error ask_for_layout(const std::string& what, const ov::PartialShape& shape) {
  return {
      .code = ErrorCode::kUnsupported,
      .what = what,
      .where = "input " + shape.to_string(),
      .hint =
          "say where its channels are: --input-layout nchw or nhwc (--base-input-layout, --global-input-layout), or \"input_layout\" in "
          "MODEL.hedge.json"};
}

/// Whether an image fits the shape in a layout: 0 not, 1 where a dynamic size may be anything, 2 with its channels as they are.
int fit(const ov::PartialShape& shape, ImageLayout layout, std::int64_t channels, const OpenVinoOptions& options) {
  const bool first = layout == ImageLayout::kNchw;
  const auto& c = shape[first ? 1 : 3];
  const auto fits = [](const ov::Dimension& size, std::int64_t wanted) { return wanted == 0 || size.is_dynamic() || size == wanted; };
  if (!fits(c, channels) || !fits(shape[first ? 2 : 1], options.height) || !fits(shape[first ? 3 : 2], options.width)) return 0;
  return c.is_static() ? 2 : 1;
}

Result<ImageLayout> layout_of(const std::shared_ptr<ov::Model>& model, std::int64_t channels, const OpenVinoOptions& options) {
  const auto& shape = model->input(0).get_partial_shape();
  const int as_nchw = fit(shape, ImageLayout::kNchw, channels, options);
  const int as_nhwc = fit(shape, ImageLayout::kNhwc, channels, options);
  const auto misfit = [&](const char* what) {
    const OpenVinoOptions any;
    const bool size = fit(shape, ImageLayout::kNchw, channels, any) > 0 || fit(shape, ImageLayout::kNhwc, channels, any) > 0;
    return Error{.code = size ? ErrorCode::kMismatch : ErrorCode::kInvalidArgument,
                 .what = what,
                 .got = std::to_string(channels) + " channels" +
                        (options.height > 0 ? ", " + std::to_string(options.height) + " x " + std::to_string(options.width) : ""),
                 .expected = shape.to_string(),
                 .hint = "give a recipe of the model's size"};
  };
  if (options.layout != ImageLayout::kAuto) {
    if ((options.layout == ImageLayout::kNchw ? as_nchw : as_nhwc) > 0) return options.layout;
    return misfit("the recipe's images do not fit the model's input in the given layout");
  }
  if (as_nchw == 0 && as_nhwc == 0) return misfit("the recipe's images do not fit the model's input");
  const auto axis = LayoutSearch(model, channels).channel_axis();
  if (axis) {
    const auto found = *axis == 1 ? ImageLayout::kNchw : ImageLayout::kNhwc;
    if ((found == ImageLayout::kNchw ? as_nchw : as_nhwc) > 0) return found;
    return ask_for_layout("the model's shape and its operators differ in where the channels are", shape);
  }
  if (as_nchw != as_nhwc) return as_nchw > as_nhwc ? ImageLayout::kNchw : ImageLayout::kNhwc;
  return ask_for_layout("nothing in the model says where its images have their channels", shape);
}

/// The reals of a quantised input: FakeQuantize right behind it.
void find_range(const ov::Output<ov::Node>& port, ImageInput& input) {
  const auto targets = port.get_target_inputs();
  if (targets.size() != 1) return;
  auto* node = targets.begin()->get_node();
  if (ov::is_type<op::Transpose>(node) || ov::is_type<op::Convert>(node)) return find_range(node->output(0), input);
  if (!ov::is_type<op::FakeQuantize>(node)) return;
  const auto least = constant_number(node->input_value(3));
  const auto most = constant_number(node->input_value(4));
  if (!least || !most || *most <= *least) return;
  input.least = static_cast<float>(*least);
  input.most = static_cast<float>(*most);
}

bool is_integer_image(const ov::element::Type& type) { return type == ov::element::u8 || type == ov::element::i8; }

std::string range(double least, double most) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4g to %.4g", least, most);
  return text;
}

/// Whether the recipe's numbers are to be quantised by the input's own grid. Otherwise the pixels are what it takes.
bool quantises_recipe(const Normalization& normalization, ImageInput& input) {
  if (input.least == 0 && input.most == 0) return false;
  const double step = (input.most - input.least) / kGrid;
  double least = 1e30;
  double most = -1e30;
  bool grid = true;
  for (std::size_t c = 0; c < normalization.mean.size(); ++c) {
    const double low = (0.0 - normalization.mean[c]) / normalization.std[c];
    const double high = (1.0 - normalization.mean[c]) / normalization.std[c];
    grid = grid && std::abs(low - input.least) <= kSameSteps * step && std::abs(high - input.most) <= kSameSteps * step;
    least = std::min(least, low);
    most = std::max(most, high);
  }
  if (grid) return false;
  const double near = kSameRange * (input.most - input.least);
  if (std::abs(least - input.least) <= near && std::abs(most - input.most) <= near) return true;
  input.notes.push_back("its quantised input is for " + range(input.least, input.most) + ", the recipe makes " + range(least, most) +
                        ": the pixels go in as they are, mean and std are not used");
  return false;
}

Result<std::pair<std::vector<float>, std::vector<float>>> mean_and_scale(const Normalization& normalization) {
  if (normalization.mean.empty() || normalization.std.size() != normalization.mean.size() ||
      std::any_of(normalization.std.begin(), normalization.std.end(), [](float s) { return !(s > 0); }))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the normalization is not usable",
                 .got = std::to_string(normalization.mean.size()) + " means, " + std::to_string(normalization.std.size()) + " deviations",
                 .expected = "as many of both as channels, deviations > 0"};
  std::vector<float> mean, scale;
  for (std::size_t c = 0; c < normalization.mean.size(); ++c) {  // (x/255 - m)/s = (x - 255 m)/(255 s)
    mean.push_back(255.0F * normalization.mean[c]);
    scale.push_back(255.0F * normalization.std[c]);
  }
  return std::pair(mean, scale);
}

}  // namespace

Result<ImageInput> find_image_input(const std::shared_ptr<ov::Model>& model, std::int64_t channels, const OpenVinoOptions& options) {
  const auto unsupported = [](const std::string& got) {
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "preprocessing cannot be folded into this model",
                 .got = got,
                 .expected = "one float, u8 or i8 input [N, C, H, W] or [N, H, W, C]",
                 .hint = "export the classifier alone, with the image as its only input"};
  };
  if (model->inputs().size() != 1) return unsupported(std::to_string(model->inputs().size()) + " inputs");
  const auto port = model->input(0);
  const auto type = port.get_element_type();
  if (port.get_partial_shape().rank() != 4 || !(type.is_real() || is_integer_image(type)))
    return unsupported(type.get_type_name() + " " + port.get_partial_shape().to_string());
  ImageInput input;
  HEDGE_TRY(input.layout, layout_of(model, channels, options));
  if (is_integer_image(type)) find_range(port, input);
  return input;
}

std::shared_ptr<ov::Model> with_image_size(const std::shared_ptr<ov::Model>& model, const ImageInput& input,
                                           const OpenVinoOptions& options) {
  auto shape = model->input(0).get_partial_shape();
  const std::size_t height = input.layout == ImageLayout::kNchw ? 2 : 1;
  if (options.height <= 0 || options.width <= 0 || (shape[height].is_static() && shape[height + 1].is_static())) return model;
  shape[height] = options.height;
  shape[height + 1] = options.width;
  auto copy = model->clone();
  try {
    copy->reshape(shape);
  } catch (const ov::Exception&) {
    return model;
  }
  return copy;
}

Result<std::shared_ptr<ov::Model>> with_normalization(const std::shared_ptr<ov::Model>& model, const Normalization& normalization,
                                                      ImageInput& input) {
  HEDGE_TRY(const auto numbers, mean_and_scale(normalization));
  const auto type = model->input(0).get_element_type();
  ov::preprocess::PrePostProcessor processor(model);
  processor.input().tensor().set_element_type(ov::element::u8).set_layout("NHWC");
  processor.input().model().set_layout(input.layout == ImageLayout::kNchw ? "NCHW" : "NHWC");
  auto& steps = processor.input().preprocess();
  if (!is_integer_image(type)) {
    steps.convert_element_type(ov::element::f32).mean(numbers.first).scale(numbers.second);
    if (type != ov::element::f32) steps.convert_element_type(type);
    return processor.build();
  }
  const float first = type == ov::element::i8 ? -128.0F : 0.0F;  // the least integer
  if (quantises_recipe(normalization, input)) {
    const float step = (input.most - input.least) / static_cast<float>(kGrid);
    steps.convert_element_type(ov::element::f32).mean(numbers.first).scale(numbers.second).mean(input.least).scale(step);
    steps.custom([first](const ov::Output<ov::Node>& node) {
      const auto whole = std::make_shared<op::Round>(node, op::Round::RoundMode::HALF_TO_EVEN);
      const auto bounded = std::make_shared<op::Clamp>(whole, 0.0, kGrid);
      return std::make_shared<op::Add>(bounded, op::Constant::create(ov::element::f32, ov::Shape{}, {first}));
    });
    steps.convert_element_type(type);
  } else if (type == ov::element::i8) {
    steps.convert_element_type(ov::element::f32).mean(-first).convert_element_type(ov::element::i8);
  }
  return processor.build();
}

}  // namespace hedge::infer::internal
