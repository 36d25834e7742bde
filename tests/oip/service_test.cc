// The server seen from a plain stub: what any client of the protocol meets.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <open_inference_grpc.grpc.pb.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "hedge/server.h"
#include "oip/fake_executor.h"

namespace hedge::oip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Service : public testing::Test {
 protected:
  void SetUp() override {
    auto server = start_server(fake_models(control_), {.address = "127.0.0.1:0", .most_message_bytes = 1u << 20});
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(server).value();
    channel_ = grpc::CreateChannel(local(server_->port()), grpc::InsecureChannelCredentials());
    stub_ = inference::GRPCInferenceService::NewStub(channel_);
  }

  /// One row {3, 4}, raw.
  static inference::ModelInferRequest good_request() {
    inference::ModelInferRequest request;
    request.set_model_name("fake");
    request.set_id("question 7");
    auto& input = *request.add_inputs();
    input.set_name("pixels");
    input.set_datatype("UINT8");
    input.add_shape(1);
    input.add_shape(2);
    request.add_raw_input_contents("\3\4");
    return request;
  }

  grpc::Status infer(const inference::ModelInferRequest& request, inference::ModelInferResponse& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return stub_->ModelInfer(&context, request, &response);
  }

  std::shared_ptr<FakeControl> control_ = std::make_shared<FakeControl>();
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
};

TEST_F(Service, is_live_and_ready_and_names_itself) {
  grpc::ClientContext live_context, ready_context, metadata_context;
  inference::ServerLiveResponse live;
  ASSERT_TRUE(stub_->ServerLive(&live_context, {}, &live).ok());
  EXPECT_TRUE(live.live());
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(stub_->ServerReady(&ready_context, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ServerMetadataResponse metadata;
  ASSERT_TRUE(stub_->ServerMetadata(&metadata_context, {}, &metadata).ok());
  EXPECT_EQ(metadata.name(), "hedge");
  EXPECT_THAT(metadata.extensions(), ElementsAre("classification"));
}

TEST_F(Service, a_model_is_ready_only_where_name_and_version_are_right) {
  const auto ready = [&](const std::string& name, const std::string& version) {
    grpc::ClientContext context;
    inference::ModelReadyRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelReadyResponse response;
    EXPECT_TRUE(stub_->ModelReady(&context, request, &response).ok());
    return response.ready();
  };
  EXPECT_TRUE(ready("fake", ""));
  EXPECT_TRUE(ready("fake", "1"));
  EXPECT_FALSE(ready("fake", "2"));
  EXPECT_FALSE(ready("other", ""));
}

TEST_F(Service, metadata_gives_datatypes_and_dynamic_dimensions) {
  grpc::ClientContext context, unknown_context;
  inference::ModelMetadataRequest request;
  request.set_name("fake");
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(stub_->ModelMetadata(&context, request, &response).ok());
  EXPECT_THAT(response.versions(), ElementsAre("1"));
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).datatype(), "UINT8");
  EXPECT_THAT(response.inputs(0).shape(), ElementsAre(-1, 2));
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(1).datatype(), "INT32");
  EXPECT_EQ(response.properties().at("executor"), "fake");
  request.set_name("other");
  const auto status = stub_->ModelMetadata(&unknown_context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("fake"));
}

TEST_F(Service, answers_raw_in_the_order_asked_and_echoes) {
  auto request = good_request();
  request.add_outputs()->set_name("sums");
  request.add_outputs()->set_name("logits");
  inference::ModelInferResponse response;
  const auto status = infer(request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.id(), "question 7");
  EXPECT_EQ(response.model_name(), "fake");
  EXPECT_EQ(response.model_version(), "1");
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "sums");
  EXPECT_EQ(response.raw_output_contents(0), std::string("\7\0\0\0", 4));
  EXPECT_EQ(response.outputs(1).datatype(), "FP32");
  EXPECT_THAT(response.outputs(1).shape(), ElementsAre(1, 3));
  float logits[3];
  ASSERT_EQ(response.raw_output_contents(1).size(), sizeof(logits));
  std::memcpy(logits, response.raw_output_contents(1).data(), sizeof(logits));
  EXPECT_THAT(logits, ElementsAre(7.0f, -1.0f, 4.0f));
}

TEST_F(Service, accepts_typed_contents_and_still_answers_raw) {
  auto request = good_request();
  request.clear_raw_input_contents();
  for (unsigned value : {3u, 4u}) request.mutable_inputs(0)->mutable_contents()->add_uint_contents(value);
  inference::ModelInferResponse response;
  ASSERT_TRUE(infer(request, response).ok());
  EXPECT_EQ(response.raw_output_contents_size(), 2);
  EXPECT_FALSE(response.outputs(0).has_contents());
}

TEST_F(Service, classification_gives_labelled_bytes) {
  auto request = good_request();
  auto& output = *request.add_outputs();
  output.set_name("logits");
  (*output.mutable_parameters())["classification"].set_int64_param(1);
  inference::ModelInferResponse response;
  ASSERT_TRUE(infer(request, response).ok());
  EXPECT_EQ(response.outputs(0).datatype(), "BYTES");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(1, 1));
  EXPECT_EQ(response.raw_output_contents(0), std::string("\16\0\0\0", 4) + "7.000000:0:cat");
}

TEST_F(Service, ignores_parameters_it_does_not_know) {
  auto request = good_request();
  (*request.mutable_parameters())["triton_enable_empty_final_response"].set_bool_param(false);
  (*request.mutable_parameters())["priority"].set_uint64_param(1);
  (*request.mutable_parameters())["timeout"].set_int64_param(60'000'000);
  (*request.mutable_inputs(0)->mutable_parameters())["binary_data_size"].set_int64_param(2);
  inference::ModelInferResponse response;
  EXPECT_TRUE(infer(request, response).ok());
}

TEST_F(Service, refuses_malformed_requests_with_a_code_and_a_reason) {
  using Edit = std::function<void(inference::ModelInferRequest&)>;
  const std::vector<std::tuple<const char*, Edit, grpc::StatusCode>> cases = {
      {"no model of that name", [](auto& r) { r.set_model_name("other"); }, grpc::StatusCode::NOT_FOUND},
      {"no such version", [](auto& r) { r.set_model_version("9"); }, grpc::StatusCode::NOT_FOUND},
      {"unknown input", [](auto& r) { r.mutable_inputs(0)->set_name("voxels"); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"unknown output", [](auto& r) { r.add_outputs()->set_name("labels"); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"twice",
       [](auto& r) {
         r.add_outputs()->set_name("sums");
         r.add_outputs()->set_name("sums");
       },
       grpc::StatusCode::INVALID_ARGUMENT},
      {"twice",
       [](auto& r) {
         *r.add_inputs() = r.inputs(0);
         r.add_raw_input_contents("\1\2");
       },
       grpc::StatusCode::INVALID_ARGUMENT},
      {"missing",
       [](auto& r) {
         r.clear_inputs();
         r.clear_raw_input_contents();
       },
       grpc::StatusCode::INVALID_ARGUMENT},
      {"another element type", [](auto& r) { r.mutable_inputs(0)->set_datatype("INT8"); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"unknown datatype", [](auto& r) { r.mutable_inputs(0)->set_datatype("uint8"); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"another shape",
       [](auto& r) {
         r.mutable_inputs(0)->set_shape(0, 2);
         r.mutable_inputs(0)->set_shape(1, 1);
       },
       grpc::StatusCode::INVALID_ARGUMENT},
      {"not usable", [](auto& r) { r.mutable_inputs(0)->set_shape(0, -1); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"do not fill the shape", [](auto& r) { r.mutable_raw_input_contents(0)->push_back('x'); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"together", [](auto& r) { r.mutable_inputs(0)->mutable_contents()->add_uint_contents(1); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"not one a tensor", [](auto& r) { r.add_raw_input_contents("ab"); }, grpc::StatusCode::INVALID_ARGUMENT},
      {"fewer than one class",
       [](auto& r) {
         r.add_outputs()->set_name("logits");
         (*r.mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(-1);
       },
       grpc::StatusCode::INVALID_ARGUMENT},
  };
  for (const auto& [text, edit, code] : cases) {
    auto request = good_request();
    edit(request);
    inference::ModelInferResponse response;
    const auto status = infer(request, response);
    EXPECT_EQ(status.error_code(), code) << text << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(text));
  }
  inference::ModelInferResponse response;
  EXPECT_TRUE(infer(good_request(), response).ok()) << "and still serves";
}

TEST_F(Service, an_executors_exception_is_an_internal_error_not_the_end) {
  control_->throws = true;
  inference::ModelInferResponse response;
  const auto status = infer(good_request(), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), HasSubstr("vendor"));
  control_->throws = false;
  EXPECT_TRUE(infer(good_request(), response).ok());
}

TEST_F(Service, refuses_a_message_above_the_limit) {
  auto request = good_request();
  request.mutable_inputs(0)->set_shape(0, 1 << 20);
  request.mutable_raw_input_contents(0)->assign(2u << 20, 'x');
  inference::ModelInferResponse response;
  EXPECT_EQ(infer(request, response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(control_->runs, 0);
}

TEST_F(Service, accepts_gzip_and_deflate) {
  for (auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    auto request = good_request();
    request.mutable_inputs(0)->set_shape(0, 1000);
    request.mutable_raw_input_contents(0)->assign(2000, '\1');
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    inference::ModelInferResponse response;
    const auto status = stub_->ModelInfer(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.outputs(0).shape(0), 1000);
  }
}

TEST_F(Service, the_timeout_parameter_ends_a_wait_in_the_queue) {
  const auto ask = [&](std::int64_t timeout_us) {
    return std::async(std::launch::async, [this, timeout_us] {
      auto request = good_request();
      if (timeout_us > 0) (*request.mutable_parameters())["timeout"].set_int64_param(timeout_us);
      inference::ModelInferResponse response;
      return infer(request, response).error_code();
    });
  };
  control_->held = true;
  std::vector<std::future<grpc::StatusCode>> first;  // both threads are theirs
  for (int i = 0; i < 2; ++i) first.push_back(ask(0));
  while (control_->running < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::vector<std::future<grpc::StatusCode>> waiting;
  for (int i = 0; i < 2; ++i) waiting.push_back(ask(100'000));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  control_->held = false;
  for (auto& code : first) EXPECT_EQ(code.get(), grpc::StatusCode::OK);
  for (auto& code : waiting) EXPECT_EQ(code.get(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(control_->runs, 2);
}

/// grpc.health.v1.Health/Check for `service`, in raw bytes: the answer's status (1 = serving), or -1.
int health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  std::string text;
  if (!service.empty()) text = std::string{'\12', static_cast<char>(service.size())} + service;
  const grpc::Slice slice(text);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  grpc::GenericStub stub(channel);
  auto done = std::make_shared<std::promise<grpc::Status>>();
  auto status = done->get_future();
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                 [done](grpc::Status s) { done->set_value(std::move(s)); });
  if (!status.get().ok()) return -1;
  std::vector<grpc::Slice> slices;
  if (!response.Dump(&slices).ok() || slices.empty() || slices[0].size() < 2) return 0;
  return slices[0].begin()[1];
}

TEST_F(Service, grpc_health_speaks_for_the_server_and_the_model) {
  EXPECT_EQ(health(channel_, ""), 1);
  EXPECT_EQ(health(channel_, "fake"), 1);
  EXPECT_EQ(health(channel_, "other"), -1);
}

TEST_F(Service, stop_lets_the_call_under_way_finish) {
  control_->sleep_ms = 300;
  auto call = std::async(std::launch::async, [&] {
    inference::ModelInferResponse response;
    return infer(good_request(), response).error_code();
  });
  while (control_->running == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::thread waiter([&] { server_->wait(); });
  server_->stop(10'000);
  waiter.join();
  EXPECT_EQ(call.get(), grpc::StatusCode::OK);
  server_->stop(0);  // a second time is harmless
}

}  // namespace
}  // namespace hedge::oip
