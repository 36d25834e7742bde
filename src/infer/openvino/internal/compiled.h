#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "hedge/executor.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::infer::internal {

/// A compiled model and its infer requests. `acquire` blocks until one is free, so callers on several threads overlap as far
/// as the requests reach and queue beyond.
class RequestPool {
 public:
  RequestPool(ov::CompiledModel compiled, std::size_t requests);

  /// A request on loan; goes back when the loan ends. The pool must outlive it.
  class Loan {
   public:
    explicit Loan(RequestPool& pool) : pool_(pool), request_(pool.acquire()) {}
    ~Loan() { pool_.release(request_); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ov::InferRequest* operator->() { return request_; }

   private:
    RequestPool& pool_;
    ov::InferRequest* request_;
  };

 private:
  ov::InferRequest* acquire();
  void release(ov::InferRequest* request);

  ov::CompiledModel compiled_;
  std::vector<ov::InferRequest> requests_;
  std::vector<ov::InferRequest*> free_;
  std::mutex mutex_;
  std::condition_variable returned_;
};

/// What make_executor needs: the model as it shall be computed, and the core that read it.
struct OpenedModel {
  ov::Core core;
  std::shared_ptr<ov::Model> model;
  std::string where;                      ///< for errors
  std::vector<std::string> input_names;   ///< by position; empty: the model's own
  std::vector<std::string> output_names;  ///< likewise
};

/// Compiles and wraps. Errors: kUnsupported (types and ranks outside TensorSpec); kInternal (OpenVINO's text).
Result<std::unique_ptr<Executor>> make_executor(OpenedModel opened, const OpenVinoOptions& options);

}  // namespace hedge::infer::internal
