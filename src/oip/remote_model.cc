#include "hedge/remote.h"

#include <future>
#include <utility>

namespace hedge::oip {

Result<std::vector<Tensor>> RemoteModel::infer(std::span<const NamedView> inputs, const std::vector<std::string>& output_names,
                                               std::chrono::milliseconds deadline) {
  using Answer = Result<std::vector<Tensor>>;
  // Shared: std::function must be copyable, and the promise's last act may end after get() has returned.
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  const auto call = infer_async(inputs, output_names, deadline, [promise](Answer result) { promise->set_value(std::move(result)); });
  return answer.get();
}

}  // namespace hedge::oip
