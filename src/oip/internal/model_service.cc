#include "oip/internal/model_service.h"

#include <chrono>
#include <exception>
#include <utility>

#include "oip/internal/codec.h"
#include "oip/internal/grpc_status.h"
#include "oip/internal/infer_request.h"

namespace hedge::oip {
namespace {

using grpc::ServerContext;

/// Leaves the admission at the end of its scope.
struct Slot {
  Admission& admission;
  explicit Slot(Admission& a) : admission(a) {}
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { admission.leave(); }
};

/// answer_infer behind the room's edge: what an executor throws becomes an error.
Status answer_guarded(const ServedModel& model, const inference::ModelInferRequest& request, inference::ModelInferResponse& response) {
  try {
    return answer_infer(model, request, response);
  } catch (const std::exception& exception) {
    return Error{.code = ErrorCode::kInternal, .what = exception.what(), .where = model.name};
  } catch (...) {
    return Error{.code = ErrorCode::kInternal, .what = "an exception of unknown type", .where = model.name};
  }
}

}  // namespace

ModelService::ModelService(std::vector<ServedModel> models, const ServerOptions& options)
    : log_(options.log), admission_(options.threads, options.most_waiting) {
  for (auto& model : models) models_.emplace(model.name, std::move(model));
}

std::vector<std::string> ModelService::model_names() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  return names;
}

Result<const ServedModel*> ModelService::find(const std::string& name, const std::string& version) const {
  const auto found = models_.find(name);
  if (found == models_.end()) {
    std::string names;
    for (const auto& [known, model] : models_) names += (names.empty() ? "" : ", ") + known;
    return Error{.code = ErrorCode::kNotFound, .what = "no model of that name", .got = name, .expected = "one of: " + names};
  }
  if (!version.empty() && version != found->second.version)
    return Error{.code = ErrorCode::kNotFound,
                 .what = "no such version of the model",
                 .where = name,
                 .got = version,
                 .expected = found->second.version};
  return &found->second;
}

grpc::Status ModelService::ServerLive(ServerContext*, const inference::ServerLiveRequest*, inference::ServerLiveResponse* response) {
  response->set_live(true);
  return grpc::Status::OK;
}

grpc::Status ModelService::ServerReady(ServerContext*, const inference::ServerReadyRequest*, inference::ServerReadyResponse* response) {
  response->set_ready(!draining_);
  return grpc::Status::OK;
}

grpc::Status ModelService::ModelReady(ServerContext*, const inference::ModelReadyRequest* request,
                                      inference::ModelReadyResponse* response) {
  response->set_ready(!draining_ && find(request->name(), request->version()).ok());
  return grpc::Status::OK;
}

grpc::Status ModelService::ServerMetadata(ServerContext*, const inference::ServerMetadataRequest*,
                                          inference::ServerMetadataResponse* response) {
  response->set_name("hedge");
  response->set_version(HEDGE_VERSION);
  response->add_extensions("classification");
  return grpc::Status::OK;
}

grpc::Status ModelService::ModelMetadata(ServerContext*, const inference::ModelMetadataRequest* request,
                                         inference::ModelMetadataResponse* response) {
  const auto found = find(request->name(), request->version());
  if (!found) return {grpc::StatusCode::NOT_FOUND, found.error().message()};
  const ServedModel& model = **found;
  response->set_name(model.name);
  response->add_versions(model.version);
  response->set_platform("hedge");
  (*response->mutable_properties())["executor"] = model.executor->description();
  write_card({.labels = model.labels, .sha256 = model.sha256, .recipe = model.recipe}, *response);
  for (const auto& spec : model.executor->inputs()) write_spec(spec, *response->add_inputs());
  for (const auto& spec : model.executor->outputs()) write_spec(spec, *response->add_outputs());
  return grpc::Status::OK;
}

grpc::Status ModelService::ModelInfer(ServerContext* context, const inference::ModelInferRequest* request,
                                      inference::ModelInferResponse* response) {
  if (draining_) return {grpc::StatusCode::UNAVAILABLE, "the server is shutting down"};
  const auto found = find(request->model_name(), request->model_version());
  if (!found) return {grpc::StatusCode::NOT_FOUND, found.error().message()};

  const auto arrival = std::chrono::steady_clock::now();
  if (!admission_.enter()) return {grpc::StatusCode::UNAVAILABLE, "too many requests are waiting"};
  const Slot slot{admission_};
  // A client that is gone or no longer waits is not worth computing for.
  if (context->IsCancelled()) return {grpc::StatusCode::CANCELLED, "cancelled while waiting"};
  const auto timeout = timeout_of(*request);
  if (timeout && std::chrono::steady_clock::now() - arrival > *timeout)
    return {grpc::StatusCode::DEADLINE_EXCEEDED, "the request's timeout passed while it waited"};
  if (const auto status = answer_guarded(**found, *request, *response); !status) {
    log(log_, LogLevel::kDebug, "request refused: " + status.error().message());
    return to_grpc(status.error());
  }
  return grpc::Status::OK;
}

}  // namespace hedge::oip
