#include "predict/stream.h"

#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

#include "io/json.h"
#include "predict/predict_run.h"
#include "support/expect_error.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::io;
using namespace asap::predict;
using namespace asap::test;

namespace {

/// A network on texts, and a pipe into it.
struct TextStream {
  TemporaryFolder folder;
  TrainedModel model;

  TextStream()
      : model((write_text_run(folder / "run", folder / "data"), load_run(folder / "run", ""))) {}

  /// The output for an input that arrives in these pieces.
  std::string answers(const std::vector<std::string>& pieces, StreamConfig config = {}) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    std::thread writer([&] {
      for (const std::string& piece : pieces) {
        CHECK(::write(ends[1], piece.data(), piece.size()) == std::ssize(piece));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      ::close(ends[1]);
    });
    config.descriptor = ends[0];
    Predictor predictor(model, method_of("teacher", model), {});
    std::string text;
    try {
      summary =
          predict_stream(model, predictor, config, [&](std::string_view more) { text += more; });
    } catch (const DataError& error) {
      failure = error.what();
    }
    writer.join();
    ::close(ends[0]);
    return text;
  }

  StreamSummary summary;
  std::string failure;
};

}  // namespace

TEST_CASE("lines get the same answers in whatever pieces they arrive") {
  TextStream texts;
  const std::string whole = "kind film\ncold plot of a dull film\r\nwarm\n\xc3\xa4nother actor";
  const std::string expected = texts.answers({whole});
  CHECK(std::ranges::count(expected, '\n') == 4);
  CHECK(texts.summary.answered == 4);
  std::vector<std::string> bytes;
  for (const char c : whole) bytes.push_back(std::string(1, c));
  CHECK(texts.answers(bytes) == expected);
}

TEST_CASE("no texts are a data error, as in a file") {
  TextStream texts;
  CHECK(texts.answers({}) == "");
  CHECK(texts.failure == "standard input: holds no texts");
  StreamConfig config;
  config.input.format = TextFormat::csv;
  config.keep_going = true;
  texts.failure.clear();
  CHECK(texts.answers({"text,label\n"}, config) == "");
  CHECK(texts.failure == "standard input: holds no texts");
}

TEST_CASE("an answer is written before the next line arrives") {
  TextStream texts;
  int input[2];
  REQUIRE(::pipe(input) == 0);
  std::string seen;
  std::vector<std::string> lines = {"kind\n", "cold\n", "warm\n"};
  REQUIRE(::write(input[1], lines[0].data(), lines[0].size()) > 0);
  std::size_t next = 1;
  StreamConfig config;
  config.descriptor = input[0];
  Predictor predictor(texts.model, method_of("teacher", texts.model), {});
  // Each answer sends the next line: without it the stream would wait for ever.
  predict_stream(texts.model, predictor, config, [&](std::string_view text) {
    seen += text;
    if (next < lines.size()) {
      REQUIRE(::write(input[1], lines[next].data(), lines[next].size()) > 0);
      ++next;
    } else {
      ::close(input[1]);
    }
  });
  CHECK(std::ranges::count(seen, '\n') == 3);
  ::close(input[0]);
}

TEST_CASE(
    "a faulty line ends the stream after the answers before it, or gets an error in its place") {
  TextStream texts;
  const std::vector<std::string> input = {"kind\n\xff\n", "warm\n\ncold\n"};
  const std::string before = texts.answers(input);
  CHECK(std::ranges::count(before, '\n') == 1);
  CHECK(texts.failure.find("standard input:2") != std::string::npos);
  StreamConfig config;
  config.keep_going = true;
  const std::string all = texts.answers(input, config);
  CHECK(texts.summary.faults == 2);
  CHECK(texts.summary.answered == 3);
  std::vector<Json> lines;
  std::size_t at = 0;
  for (std::size_t end; (end = all.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(Json::parse(all.substr(at, end - at)));
  REQUIRE(lines.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(lines[i]["id"] == std::to_string(i + 1));
    CHECK(lines[i].contains("error") == (i == 1 || i == 3));
  }
}

TEST_CASE("JSON lines are answered with their identifiers") {
  TextStream texts;
  StreamConfig config;
  config.input.format = TextFormat::jsonl;
  const std::string all = texts.answers(
      {"{\"id\":\"a\",\"text\":\"kind\"}\n{\"id\":\"b\",\"text\":\"cold\"}\n"}, config);
  CHECK(all.find("{\"id\":\"a\"") == 0);
  CHECK(all.find("{\"id\":\"b\"") != std::string::npos);
}

TEST_CASE("images cannot come line by line") {
  const TemporaryFolder folder;
  write_image_run(folder / "run");
  const TrainedModel model = load_run(folder / "run", "");
  Predictor predictor(model, method_of("", model), {});
  expect_error<UsageError>([&] { predict_stream(model, predictor, {}, [](std::string_view) {}); },
                           {"images", "name a file or a folder"});
}
