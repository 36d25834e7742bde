#pragma once

#include <grpcpp/grpcpp.h>
#include <open_inference_grpc.grpc.pb.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "core/log.h"
#include "oip/internal/worker_pool.h"
#include "oip/server.h"

namespace hedge::oip {

/// The verbs of the protocol. Cheap ones answer on gRPC's thread; ModelInfer goes through the pool. The pool must outlive the calls.
class ModelService final : public inference::GRPCInferenceService::CallbackService {
 public:
  /// Precondition: names are unique, executors are there.
  ModelService(std::vector<ServedModel> models, LogSink log, WorkerPool& pool);

  /// From now on "not ready": new inferences are refused, those under way finish.
  void drain() { draining_ = true; }
  [[nodiscard]] std::vector<std::string> model_names() const;

  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context, const inference::ServerLiveRequest* request,
                                       inference::ServerLiveResponse* response) override;
  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context, const inference::ServerReadyRequest* request,
                                        inference::ServerReadyResponse* response) override;
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context, const inference::ModelReadyRequest* request,
                                       inference::ModelReadyResponse* response) override;
  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context, const inference::ServerMetadataRequest* request,
                                           inference::ServerMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context, const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context, const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override;

 private:
  /// Errors: kNotFound, naming the models or versions there are.
  [[nodiscard]] Result<const ServedModel*> find(const std::string& name, const std::string& version) const;

  std::map<std::string, ServedModel> models_;
  LogSink log_;
  WorkerPool& pool_;
  std::atomic<bool> draining_ = false;
};

}  // namespace hedge::oip
