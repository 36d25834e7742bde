#include "hedge/remote.h"

#include <future>
#include <utility>

#include "core/file.h"

namespace hedge::oip {
namespace {

constexpr std::size_t kMostPemBytes = std::size_t{1} << 20;

Result<std::string> read_pem(const std::filesystem::path& path) {
  return path.empty() ? Result<std::string>(std::string()) : read_file(path, kMostPemBytes);
}

}  // namespace

Result<Tls> read_tls(const TlsFiles& files) {
  Tls tls;
  HEDGE_TRY(tls.ca, read_pem(files.ca));
  HEDGE_TRY(tls.certificate, read_pem(files.certificate));
  HEDGE_TRY(tls.key, read_pem(files.key));
  return tls;
}

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
