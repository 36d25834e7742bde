#pragma once

#include <grpcpp/grpcpp.h>
#include <open_inference_grpc.grpc.pb.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "hedge/log.h"
#include "hedge/server.h"
#include "oip/internal/admission.h"

namespace hedge::oip {

/// The verbs of the protocol, each call on a thread of gRPC's; ModelInfer waits there for its turn, so the threads are bounded by
/// what may compute and wait. (gRPC 1.51's callback interface would need no waiting threads, but on Linux its pollers sleep for
/// 100 ms after an idle second, which a lone query then waits for.)
class ModelService final : public inference::GRPCInferenceService::Service {
 public:
  /// Precondition: names are unique, executors are there.
  ModelService(std::vector<ServedModel> models, const ServerOptions& options);

  /// From now on "not ready": new inferences are refused, those under way finish.
  void drain() { draining_ = true; }
  [[nodiscard]] std::vector<std::string> model_names() const;

  grpc::Status ServerLive(grpc::ServerContext* context, const inference::ServerLiveRequest* request,
                          inference::ServerLiveResponse* response) override;
  grpc::Status ServerReady(grpc::ServerContext* context, const inference::ServerReadyRequest* request,
                           inference::ServerReadyResponse* response) override;
  grpc::Status ModelReady(grpc::ServerContext* context, const inference::ModelReadyRequest* request,
                          inference::ModelReadyResponse* response) override;
  grpc::Status ServerMetadata(grpc::ServerContext* context, const inference::ServerMetadataRequest* request,
                              inference::ServerMetadataResponse* response) override;
  grpc::Status ModelMetadata(grpc::ServerContext* context, const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override;
  grpc::Status ModelInfer(grpc::ServerContext* context, const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override;

 private:
  /// Errors: kNotFound, naming the models or versions there are.
  [[nodiscard]] Result<const ServedModel*> find(const std::string& name, const std::string& version) const;

  std::map<std::string, ServedModel> models_;
  LogSink log_;
  Admission admission_;
  std::atomic<bool> draining_ = false;
};

}  // namespace hedge::oip
