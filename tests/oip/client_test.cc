// The client and the remote Executor against a server in this process: deadlines, cancelling, losing and finding the server again.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hedge/remote.h"
#include "hedge/server.h"
#include "oip/fake_executor.h"
#include "oip/remote_executor.h"

namespace hedge::oip {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Answer = Result<std::vector<Tensor>>;

constexpr auto kPatience = 20s;          ///< for what should succeed, on a busy machine
constexpr auto kNoWait = kMostHeld / 2;  ///< what took less did not wait for a held run, nor for kPatience

std::unique_ptr<Server> serve(const std::shared_ptr<FakeControl>& control, int port = 0, int threads = 2, std::size_t most_waiting = 256) {
  auto server = start_server(fake_models(control), {.address = local(port), .threads = threads, .most_waiting = most_waiting});
  if (!server) ADD_FAILURE() << server.error().message();
  if (!server) return nullptr;
  return std::move(server).value();
}

std::unique_ptr<RemoteModel> connect_to(int port, const std::string& model = "fake") {
  auto remote = connect({.address = local(port), .model = model});
  if (!remote) ADD_FAILURE() << remote.error().message();
  return std::move(remote).value();
}

const Tensor kPixels = Tensor::of<std::uint8_t>({2, 2}, {3, 4, 10, 20});

Answer ask(RemoteModel& remote, std::chrono::milliseconds deadline = kPatience) {
  const std::vector<NamedView> inputs = {{"pixels", kPixels.view()}};
  return remote.infer(inputs, {"sums"}, deadline);
}

/// A port that was free a moment ago.
int free_port() {
  const auto server = serve(std::make_shared<FakeControl>());
  return server->port();
}

class Client : public testing::Test {
 protected:
  std::shared_ptr<FakeControl> control_ = std::make_shared<FakeControl>();
};

TEST_F(Client, infers_and_gives_the_outputs_in_the_order_asked) {
  const auto server = serve(control_);
  const auto remote = connect_to(server->port());
  const std::vector<NamedView> inputs = {{"pixels", kPixels.view()}};
  const auto both = remote->infer(inputs, {"sums", "logits"}, kPatience);
  ASSERT_TRUE(both.ok()) << both.error().message();
  EXPECT_THAT((*both)[0].data<std::int32_t>(), ElementsAre(7, 30));
  EXPECT_EQ((*both)[1].shape(), (Shape{2, 3}));
  const auto all = remote->infer(inputs, {}, kPatience);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ((*all)[0].shape(), (Shape{2, 3})) << "the server's order";
}

TEST_F(Client, gives_the_models_specs) {
  const auto server = serve(control_);
  const auto remote = connect_to(server->port());
  const auto inputs = remote->inputs(kPatience);
  ASSERT_TRUE(inputs.ok()) << inputs.error().message();
  EXPECT_EQ(inputs->front().name, "pixels");
  EXPECT_EQ(inputs->front().dtype, DType::kU8);
  EXPECT_EQ(inputs->front().shape, (Shape{-1, 2}));
  server->stop(0);
  EXPECT_EQ(remote->outputs(kPatience)->size(), 2u) << "asked once";
}

TEST_F(Client, gives_what_the_server_says_of_its_model) {
  const auto server = serve(control_);
  const auto remote = connect_to(server->port());
  const auto card = remote->card(kPatience);
  ASSERT_TRUE(card.ok()) << card.error().message();
  EXPECT_EQ(card->labels, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(card->sha256, std::string(64, 'a'));
  EXPECT_EQ(card->recipe, "{\"a\": \"recipe\"}");
}

TEST_F(Client, a_session_lasts_as_long_as_the_connection) {
  auto server = serve(control_);
  const int port = server->port();
  const auto remote = connect_to(port);
  const auto first = remote->renew();
  ASSERT_TRUE(remote->card(kPatience).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(ask(*remote).ok());
  EXPECT_EQ(remote->session(), first) << "connecting and asking do not end it";
  server.reset();
  server = serve(control_, port);
  const auto start = std::chrono::steady_clock::now();
  while (!ask(*remote).ok() && std::chrono::steady_clock::now() - start < kPatience) std::this_thread::sleep_for(20ms);
  EXPECT_NE(remote->session(), first) << "an answer over another connection is seen as one";
  ASSERT_TRUE(ask(*remote).ok());
  const auto second = remote->renew();
  ASSERT_TRUE(ask(*remote).ok());
  EXPECT_EQ(remote->session(), second);
}

TEST_F(Client, an_answer_of_another_model_than_the_card_ends_the_session) {
  // Two servers in turn behind one address, as a proxy has them: here the second takes the port while the card of the first is kept.
  auto server = serve(control_);
  const int port = server->port();
  const auto remote = connect_to(port);
  ASSERT_EQ(remote->card(kPatience)->sha256, std::string(64, 'a'));
  server.reset();
  auto models = fake_models(control_);
  models[0].sha256 = std::string(64, 'b');
  server = start_server(std::move(models), {.address = local(port)}).value();
  const auto start = std::chrono::steady_clock::now();
  while (!ask(*remote).ok() && std::chrono::steady_clock::now() - start < kPatience) std::this_thread::sleep_for(20ms);
  const auto before = remote->session();
  ASSERT_TRUE(ask(*remote).ok());
  EXPECT_EQ(remote->session(), before + 1) << "the connection is the same, the answer is not the card's";
  remote->renew();
  ASSERT_EQ(remote->card(kPatience)->sha256, std::string(64, 'b'));
  const auto known = remote->session();
  ASSERT_TRUE(ask(*remote).ok());
  EXPECT_EQ(remote->session(), known);
}

TEST_F(Client, ending_a_client_does_not_wait_for_its_watch) {
  const auto server = serve(control_);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    const auto remote = connect_to(server->port());
    ASSERT_TRUE(ask(*remote).ok());
  }
  { const auto never_asked = connect_to(server->port()); }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 4s) << "the watch's own time is 5 s";
}

TEST_F(Client, maps_the_servers_refusals) {
  const auto server = serve(control_);
  EXPECT_EQ(ask(*connect_to(server->port(), "other")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(connect_to(server->port(), "other")->inputs(kPatience).error().code, ErrorCode::kNotFound);
  const auto remote = connect_to(server->port());
  const auto floats = Tensor::of<float>({1, 2}, {1.0f, 2.0f});
  const std::vector<NamedView> wrong = {{"pixels", floats.view()}};
  const auto answer = remote->infer(wrong, {}, kPatience);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(answer.error().message(), HasSubstr("element type"));
  EXPECT_THAT(answer.error().where, HasSubstr("fake@127.0.0.1"));
}

TEST_F(Client, a_slow_server_is_a_deadline_and_in_time) {
  control_->held = true;
  const auto server = serve(control_);
  const auto remote = connect_to(server->port());
  const auto start = std::chrono::steady_clock::now();
  const auto answer = ask(*remote, 200ms);
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kDeadline);
  EXPECT_GE(took, 190ms);
  EXPECT_LT(took, kNoWait);
  EXPECT_EQ(ask(*remote, 0ms).error().code, ErrorCode::kDeadline);
  EXPECT_EQ(ask(*remote, -5ms).error().code, ErrorCode::kDeadline);
  control_->held = false;
}

TEST_F(Client, cancelling_ends_a_call_once_and_is_harmless_afterwards) {
  control_->held = true;
  const auto server = serve(control_);
  const auto remote = connect_to(server->port());
  const std::vector<NamedView> inputs = {{"pixels", kPixels.view()}};
  std::atomic<int> times = 0;
  std::promise<Answer> promise;
  auto answer = promise.get_future();
  const auto call = remote->infer_async(inputs, {}, kPatience, [&](Answer result) {
    if (++times == 1) promise.set_value(std::move(result));
  });
  while (control_->running == 0) std::this_thread::sleep_for(1ms);
  const auto start = std::chrono::steady_clock::now();
  call->cancel();
  call->cancel();
  const auto result = answer.get();
  EXPECT_LT(std::chrono::steady_clock::now() - start, kNoWait) << "did not wait for the executor";
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  call->cancel();
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(times, 1);
  control_->held = false;
}

TEST_F(Client, dropping_the_call_does_not_lose_the_answer) {
  control_->sleep_ms = 100;
  const auto server = serve(control_);
  const auto remote = connect_to(server->port());
  const std::vector<NamedView> inputs = {{"pixels", kPixels.view()}};
  std::promise<Answer> promise;
  remote->infer_async(inputs, {"sums"}, kPatience, [&](Answer result) { promise.set_value(std::move(result)); }).reset();
  const auto result = promise.get_future().get();
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_THAT((*result)[0].data<std::int32_t>(), ElementsAre(7, 30));
}

TEST_F(Client, destroying_the_model_cancels_and_waits_for_every_done) {
  control_->held = true;
  const auto server = serve(control_);
  auto remote = connect_to(server->port());
  const std::vector<NamedView> inputs = {{"pixels", kPixels.view()}};
  std::vector<ErrorCode> codes;  // written by the model's one thread, read after its end
  std::vector<std::unique_ptr<RemoteCall>> calls;
  for (int i = 0; i < 5; ++i)
    calls.push_back(remote->infer_async(inputs, {}, kPatience,
                                        [&](Answer result) { codes.push_back(result ? ErrorCode::kInternal : result.error().code); }));
  const auto start = std::chrono::steady_clock::now();
  remote.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, kNoWait);
  EXPECT_EQ(codes, std::vector<ErrorCode>(5, ErrorCode::kCancelled));
  for (const auto& call : calls) call->cancel();  // harmless afterwards
  control_->held = false;
}

TEST_F(Client, models_come_and_go_while_answers_arrive) {
  const auto server = serve(control_);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(ask(*connect_to(server->port())).ok());
}

TEST_F(Client, a_dead_server_fails_fast) {
  const auto remote = connect_to(free_port());
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto answer = ask(*remote);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable) << answer.error().message();
    EXPECT_LT(std::chrono::steady_clock::now() - start, kNoWait);
  }
}

TEST_F(Client, a_server_that_dies_mid_way_is_unavailable_and_is_found_again) {
  control_->sleep_ms = 500;
  auto server = serve(control_);
  const int port = server->port();
  const auto remote = connect_to(port);
  auto lost = std::async(std::launch::async, [&] { return ask(*remote); });
  while (control_->running == 0) std::this_thread::sleep_for(1ms);
  server->stop(0);
  const auto answer = lost.get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable) << answer.error().message();
  server.reset();
  EXPECT_EQ(ask(*remote).error().code, ErrorCode::kUnavailable);

  control_->sleep_ms = 0;
  server = serve(control_, port);
  const auto start = std::chrono::steady_clock::now();
  while (!ask(*remote).ok() && std::chrono::steady_clock::now() - start < kPatience) std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(ask(*remote).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, kNoWait) << "the backoff is at most 2 s";
}

TEST_F(Client, many_at_once_all_get_their_own_answer_within_the_thread_bound) {
  control_->sleep_ms = 2;
  const auto server = serve(control_, 0, 3);
  const auto remote = connect_to(server->port());
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; ++client)
    clients.emplace_back([&, client] {
      for (int i = 0; i < 20; ++i) {
        const auto a = static_cast<std::uint8_t>(client);
        const auto b = static_cast<std::uint8_t>(i);
        const auto pixels = Tensor::of<std::uint8_t>({1, 2}, {a, b});
        const std::vector<NamedView> inputs = {{"pixels", pixels.view()}};
        const auto answer = remote->infer(inputs, {"sums"}, kPatience);
        right += answer.ok() && (*answer)[0].data<std::int32_t>()[0] == a + b;
      }
    });
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 8 * 20);
  EXPECT_LE(control_->most_running, 3);
  EXPECT_GE(control_->most_running, 2);
}

TEST_F(Client, a_full_queue_refuses_instead_of_growing) {
  control_->held = true;
  const auto server = serve(control_, 0, 1, 1);
  const auto remote = connect_to(server->port());
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(std::async(std::launch::async, [&] { return ask(*remote); }));
  const auto refusal_came = [&] {
    return std::any_of(answers.begin(), answers.end(),
                       [](const auto& pending) { return pending.wait_for(0s) == std::future_status::ready; });
  };
  while (!refusal_came()) std::this_thread::sleep_for(1ms);
  control_->held = false;
  int refused = 0;
  int answered = 0;
  for (auto& pending : answers) {
    const auto answer = pending.get();
    answered += answer.ok();
    refused += !answer.ok() && answer.error().code == ErrorCode::kUnavailable;
  }
  EXPECT_EQ(answered + refused, 6);
  EXPECT_GE(answered, 1);
  EXPECT_GE(refused, 1);
}

TEST_F(Client, an_abandoned_request_in_the_queue_is_not_computed) {
  control_->held = true;
  const auto server = serve(control_, 0, 1);
  const auto remote = connect_to(server->port());
  auto first = std::async(std::launch::async, [&] { return ask(*remote); });
  while (control_->running == 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(ask(*remote, 100ms).error().code, ErrorCode::kDeadline);
  std::this_thread::sleep_for(100ms);  // the server learns of it
  control_->held = false;
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(ask(*remote).ok());
  EXPECT_EQ(control_->runs, 2);
}

TEST(Addresses, refuses_what_is_not_one) {
  for (const auto* address : {"", "localhost", ":1", "localhost:", "localhost:0", "localhost:65536", "localhost:12x", "http://a:80/",
                              "::1:80", "[::1:80", "[]:80"}) {
    const auto remote = connect({.address = address, .model = "m"});
    ASSERT_FALSE(remote.ok()) << address;
    EXPECT_EQ(remote.error().code, ErrorCode::kInvalidArgument) << address;
  }
  EXPECT_TRUE(connect({.address = "[::1]:80", .model = "m"}).ok());
  EXPECT_EQ(connect({.address = "localhost:80", .model = ""}).error().code, ErrorCode::kInvalidArgument);
}

TEST(ServerStart, an_occupied_port_is_an_error_that_names_it) {
  const auto first = serve(std::make_shared<FakeControl>());
  const auto second = start_server(fake_models(), {.address = local(first->port())});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
  EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(first->port())));
  EXPECT_THAT(second.error().message(), HasSubstr("in use"));
}

TEST(ServerStart, refuses_bad_options) {
  const auto code = [](std::vector<ServedModel> models, const ServerOptions& options) {
    auto server = start_server(std::move(models), options);
    return server ? ErrorCode::kInternal : server.error().code;
  };
  const std::string address = "127.0.0.1:0";
  EXPECT_EQ(code({}, {.address = address}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(fake_models(), {.address = "8001"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(fake_models(), {.address = address, .threads = 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(fake_models(), {.address = address, .most_message_bytes = 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(fake_models(), {.address = address, .most_waiting = 0}), ErrorCode::kInvalidArgument);
  auto twice = fake_models();
  twice.push_back(std::move(fake_models()[0]));
  EXPECT_EQ(code(std::move(twice), {.address = address}), ErrorCode::kInvalidArgument);
  auto empty = fake_models();
  empty[0].executor.reset();
  EXPECT_EQ(code(std::move(empty), {.address = address}), ErrorCode::kInvalidArgument);
}

TEST(RemoteExecutor, keeps_the_executors_contract) {
  const auto server = serve(std::make_shared<FakeControl>());
  const auto made = make_remote_executor(connect_to(server->port()), kPatience);
  ASSERT_TRUE(made.ok()) << made.error().message();
  const Executor& executor = **made;
  EXPECT_EQ(executor.inputs().front().name, "pixels");
  EXPECT_EQ(executor.outputs()[1].name, "sums");
  EXPECT_THAT(executor.description(), HasSubstr("remote"));

  const std::vector<NamedView> good = {{"pixels", kPixels.view()}};
  const auto outputs = executor.run(good);
  ASSERT_TRUE(outputs.ok()) << outputs.error().message();
  ASSERT_EQ(outputs->size(), 2u);
  EXPECT_THAT((*outputs)[1].data<std::int32_t>(), ElementsAre(7, 30));

  const auto code = [&](const std::vector<NamedView>& inputs) {
    const auto result = executor.run(inputs);
    return result ? ErrorCode::kInternal : result.error().code;
  };
  const auto floats = Tensor::of<float>({1, 2}, {1.0f, 2.0f});
  const auto wide = Tensor::of<std::uint8_t>({1, 3}, {1, 2, 3});
  EXPECT_EQ(code({}), ErrorCode::kNotFound);
  EXPECT_EQ(code({{"voxels", kPixels.view()}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"pixels", kPixels.view()}, {"pixels", kPixels.view()}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"pixels", floats.view()}}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{"pixels", wide.view()}}), ErrorCode::kMismatch);
}

TEST(RemoteExecutor, cannot_be_made_without_the_server) {
  EXPECT_EQ(make_remote_executor(connect_to(free_port()), kPatience).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(make_remote_executor(nullptr, kPatience).error().code, ErrorCode::kInvalidArgument);
}

/// A remote model whose answers do not fit its own metadata.
class LyingModel final : public RemoteModel {
 public:
  Result<std::vector<TensorSpec>> inputs(std::chrono::milliseconds) override { return std::vector<TensorSpec>{}; }
  Result<std::vector<TensorSpec>> outputs(std::chrono::milliseconds) override {
    return std::vector<TensorSpec>{{"logits", DType::kF32, {-1, 3}}};
  }
  Result<RemoteCard> card(std::chrono::milliseconds) override { return RemoteCard{}; }
  std::unique_ptr<RemoteCall> infer_async(std::span<const NamedView>, const std::vector<std::string>&, std::chrono::milliseconds,
                                          Done done) override {
    std::vector<Tensor> tensors;
    tensors.emplace_back(DType::kF32, Shape{1, 4});
    done(std::move(tensors));
    return nullptr;
  }
};

TEST(RemoteExecutor, refuses_an_answer_that_does_not_fit_the_metadata) {
  const auto made = make_remote_executor(std::make_unique<LyingModel>(), kPatience);
  ASSERT_TRUE(made.ok());
  const auto answer = (*made)->run({});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kBadFormat);
  EXPECT_THAT(answer.error().message(), HasSubstr("[1, 4]"));
}

}  // namespace
}  // namespace hedge::oip
