#include "cli/teacher_flags.h"

namespace hedge::cli {

void TeacherFlags::add(CLI::App& app) {
  app.add_option("--teacher", model_,
                 "also learn from the logits of this trained model (distillation): an .onnx file with the same image size and classes");
  app.add_option("--teacher-weight", options_.weight, "share of the teacher in the loss, 0 to 1; the labels have the rest")
      ->capture_default_str();
  app.add_option("--temperature", options_.temperature,
                 "divide the logits of teacher and student by this before they are compared; above 1, small probabilities count more")
      ->capture_default_str();
  app.add_flag(
      "--keep-teacher,!--no-keep-teacher", options_.keep,
      "make the teacher's predictions once, of each image and its mirror image, and keep them in OUT.teacher; without it the teacher "
      "looks at every augmented image, which is slow. Default: kept, except with --training plain");
}

std::optional<workflow::TeacherOptions> TeacherFlags::options() const {
  if (model_.empty()) return std::nullopt;
  auto options = options_;
  options.model = model_;
  return options;
}

}  // namespace hedge::cli
