#include "cli/doctor.h"

#include <memory>

#include "cli/commands.h"
#include "infer/openvino/openvino_executor.h"
#include "train/torch_executor.h"

namespace hedge::cli {

void add_doctor(CLI::App& root, Context& context) {
  auto* app =
      root.add_subcommand("doctor", "check this machine: processor, memory, libraries, data; names what is missing and how to install it");
  auto json = std::make_shared<bool>(false);  // shared with the callback, which outlives this function
  app->add_flag("--json", *json, "print JSON instead of text");
  app->callback([json, &context] {
    context.chosen = [json]() -> Status {
      DoctorOptions options;
      options.torch_version = train::torch_version();
      options.openvino_version = infer::openvino_version();
      const auto checks = examine_machine(options);
      std::printf("%s\n", *json ? to_json(checks).dump(2).c_str() : to_text(checks).c_str());
      if (healthy(checks)) return {};
      return Error{
          .code = ErrorCode::kNotFound, .what = "something that is required is missing", .hint = "see the hints above, or run: make setup"};
    };
  });
}

}  // namespace hedge::cli
