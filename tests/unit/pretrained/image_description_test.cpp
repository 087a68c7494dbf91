#include "pretrained/image_description.h"

#include <cmath>

#include <doctest/doctest.h>

#include "pretrained/pretrained_model.h"
#include "support/changed_setting.h"
#include "support/expect_error.h"
#include "support/pretrained_folder.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::io;
using namespace asap::pretrained;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// The folder of a ViT as the package timm writes it, with the same weights.
void become_timm(PretrainedFolder& folder) {
  auto& tensors = folder.weights.tensors;
  for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"}) tensors.erase(name);
  folder.rename("embeddings.cls_token", "cls_token");
  folder.rename("embeddings.position_embeddings", "pos_embed");
  for (const std::string kind : {".weight", ".bias"}) {
    folder.rename("embeddings.patch_embeddings.projection" + kind, "patch_embed.proj" + kind);
    folder.rename("layernorm" + kind, "norm" + kind);
    for (const std::string layer : {"0", "1"}) {
      const std::string from = "encoder.layer." + layer + ".", to = "blocks." + layer + ".";
      StoredTensor fused = folder.weights.at(from + "attention.attention.query" + kind);
      for (const char* part : {"key", "value"})
        fused.bytes += folder.weights.at(from + "attention.attention." + part + kind).bytes;
      fused.shape = kind == ".bias" ? Shape{24} : Shape{24, 8};
      for (const char* part : {"query", "key", "value"})
        tensors.erase(from + "attention.attention." + part + kind);
      tensors[to + "attn.qkv" + kind] = fused;
      for (const auto& [there, here] :
           {std::pair("attention.output.dense", "attn.proj"),
            std::pair("layernorm_before", "norm1"), std::pair("layernorm_after", "norm2"),
            std::pair("intermediate.dense", "mlp.fc1"), std::pair("output.dense", "mlp.fc2")})
        folder.rename(from + there + kind, to + here + kind);
    }
  }
  folder.config = {
      {"architecture", "deit_tiny_patch4_12"},
      {"global_pool", "token"},
      {"model_args", {{"embed_dim", 8}, {"depth", 2}, {"num_heads", 2}, {"mlp_ratio", 1.5}}},
      {"pretrained_cfg",
       {{"input_size", {3, 12, 12}},
        {"mean", folder.preprocessor["image_mean"]},
        {"std", folder.preprocessor["image_std"]}}}};
  folder.preprocessor = nullptr;
}

void put_class_token(PretrainedFolder& folder, float value) {
  Tensor<float> values = folder.weights.at("embeddings.cls_token").to<float>();
  values[3] = value;
  folder.weights.put("embeddings.cls_token", values);
}

}  // namespace

TEST_CASE("config.json of a ViT decides the network") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "vit", "vit_tiny");
  folder.write();
  const PretrainedModel model = read_pretrained(folder.file());
  CHECK(model.model.kind == ModelKind::vit);
  CHECK(model.model.width == 8);
  CHECK(model.model.heads == 2);
  CHECK(model.model.layers == 2);
  CHECK(model.model.hidden_width() == 12);
  CHECK(model.model.norm == NormPosition::pre);
  CHECK(model.model.pooling == Pooling::class_token);
  CHECK(model.model.pooler);
  CHECK(model.model.tokens() == 10);
  CHECK(model.model.channels == 3);
  CHECK(model.model.feed_forward.activation == Activation::gelu_erf);
  const TrainConfig config = initial_config(model);
  CHECK(config.data.images.size == 12);
  CHECK_NOTHROW(require_own_network(model, config, "test"));
  CHECK_NOTHROW(require_fitting_images(model, "data", {3, 12, 12}));
}

TEST_CASE("timm's names and settings give the same weights") {
  const TemporaryFolder scratch;
  PretrainedFolder plain(scratch / "plain", "vit_tiny"), timm(scratch / "timm", "vit_tiny");
  for (const char* name : {"pooler.dense.weight", "pooler.dense.bias"})
    plain.weights.tensors.erase(name);
  plain.write();
  become_timm(timm);
  timm.weights.put("head.weight", Tensor<float>({5, 8}));
  timm.write();
  const PretrainedModel expected = read_pretrained(plain.file()),
                        found = read_pretrained(timm.file());
  CHECK(found.left_out == std::vector<std::string>{"head.weight"});
  CHECK(found.model.norm_epsilon == 1e-6);
  CHECK(found.model.tokens() == 10);
  CHECK_FALSE(found.model.pooler);
  CHECK(found.weights.tensors.size() == expected.weights.tensors.size());
  for (const auto& entry : expected.weights.tensors) {
    CAPTURE(entry.first);
    CHECK(found.weights.tensors.at(entry.first) == entry.second);
  }
}

TEST_CASE("a prefix and a classifier are known, and pixels without normalisation are as well") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "vit", "vit_tiny");
  std::map<std::string, StoredTensor> longer;
  for (const auto& [name, tensor] : folder.weights.tensors) longer.emplace("vit." + name, tensor);
  folder.weights.tensors = std::move(longer);
  folder.weights.put("classifier.weight", Tensor<float>({5, 8}));
  const Tensor<float> raw =
      folder.weights.at("vit.embeddings.patch_embeddings.projection.weight").to<float>();
  folder.preprocessor = {{"do_normalize", false}};
  folder.write();
  const PretrainedModel model = read_pretrained(folder.file());
  CHECK(model.left_out == std::vector<std::string>{"classifier.weight"});
  // (p - .5) / .5 in place of p
  const Tensor<float> weight = model.weights.at("embedding.patch.weight").to<float>();
  for (std::int64_t i = 0; i < raw.size(); ++i) CHECK(weight[i] == raw[i] / 2);
  folder.preprocessor = nullptr;  // pixels from -1 to 1, as here
  folder.write();
  const PretrainedModel plain = read_pretrained(folder.file());
  const Tensor<float> same = plain.weights.at("embedding.patch.weight").to<float>();
  for (std::int64_t i = 0; i < raw.size(); ++i) CHECK(same[i] == raw[i]);
}

TEST_CASE("tensors of a ViT that do not fit are refused by name") {
  const TemporaryFolder scratch;
  const auto expect_refusal = [&](const auto& change, std::initializer_list<const char*> parts) {
    PretrainedFolder folder(scratch / "model", "vit_tiny");
    change(folder);
    folder.write();
    expect_error<DataError>([&] { read_pretrained(folder.file()); }, parts);
  };
  expect_refusal([](auto& f) { f.config["image_size"] = 16; },
                 {"embeddings.position_embeddings", "[1, 10, 8]", "[1, 17, 8]"});
  expect_refusal([](auto& f) { f.config["patch_size"] = 6; },
                 {"patch_embeddings.projection.weight", "[8, 3, 4, 4]", "[8, 3, 6, 6]"});
  expect_refusal([](auto& f) { f.config["num_hidden_layers"] = 3; },
                 {"encoder.layer.2.attention.attention.query.weight", "missing"});
  expect_refusal([](auto& f) { f.config["num_hidden_layers"] = 1; },
                 {"encoder.layer.1", "no part of a ViT of this size"});
  expect_refusal(
      [](auto& f) {
        f.rename("encoder.layer.0.layernorm_before.bias", "encoder.layer.0.layernorm_befor.bias");
      },
      {"layernorm_before.bias' is missing", "nearest", "layernorm_befor.bias"});
  expect_refusal([](auto& f) { put_class_token(f, std::nanf("")); }, {"cls_token", "not finite"});
  expect_refusal([](auto& f) { f.weights.tensors.erase("embeddings.cls_token"); },
                 {"embeddings.cls_token", "no ViT"});
  expect_refusal([](auto& f) { f.config["qkv_bias"] = false; }, {"qkv_bias"});
  expect_refusal([](auto& f) { f.config["patch_size"] = 5; }, {"patch", "divide"});
  expect_refusal([](auto& f) { f.config["model_type"] = "deit"; }, {"deit", "distillation"});
  expect_refusal([](auto& f) { f.config["model_type"] = "swin"; }, {"swin", "windows"});
  expect_refusal(
      [](auto& f) {
        f.preprocessor["image_mean"] = {0.5, 0.5};
      },
      {"preprocessor_config.json", "image_mean", "3 channels"});
  expect_refusal([](auto& f) { f.preprocessor["image_std"] = {0.5, 0, 0.5}; }, {"image_std"});
  expect_refusal([](auto& f) { f.preprocessor["do_rescale"] = false; }, {"from 0 to 1"});
}

TEST_CASE("what a ViT of timm may be is refused by name") {
  const TemporaryFolder scratch;
  const auto expect_refusal = [&](const auto& change, std::initializer_list<const char*> parts) {
    PretrainedFolder folder(scratch / "model", "vit_tiny");
    become_timm(folder);
    change(folder);
    folder.write();
    expect_error<DataError>([&] { read_pretrained(folder.file()); }, parts);
  };
  expect_refusal([](auto& f) { f.config["architecture"] = "resnet50"; }, {"resnet50"});
  expect_refusal([](auto& f) { f.config["architecture"] = "deit_tiny_distilled_patch4_12"; },
                 {"distillation"});
  expect_refusal([](auto& f) { f.config["global_pool"] = "avg"; }, {"global_pool", "avg"});
  expect_refusal([](auto& f) { f.config.erase("model_args"); },
                 {"patch_embed.proj.weight", "[192, 3, 4, 4]"});
  expect_refusal(
      [](auto& f) {
        f.config["architecture"] = "vit_odd";
        f.config.erase("model_args");
      },
      {"vit_odd", "model_args"});
  expect_refusal(
      [](auto& f) {
        f.config["pretrained_cfg"]["input_size"] = {3, 12};
      },
      {"input_size", "[3,12]"});
  expect_refusal([](auto& f) { f.config["pretrained_cfg"] = 3; }, {"pretrained_cfg", "object"});
  expect_refusal([](auto& f) { f.rename("blocks.1.attn.qkv.weight", "blocks.1.attn.qvk.weight"); },
                 {"blocks.1.attn.qkv.weight' is missing", "blocks.1.attn.qvk.weight"});
}

TEST_CASE("keys that the weights of a ViT decide cannot be changed, and images must fit") {
  const TemporaryFolder scratch;
  PretrainedFolder folder(scratch / "model", "vit_tiny");
  folder.write();
  const PretrainedModel model = read_pretrained(folder.file());
  const auto with = [&](const char* assignment) { change_setting(model, assignment); };
  CHECK_NOTHROW(with("model.attention.kind=sinkhorn"));
  CHECK_NOTHROW(with("model.pooler=false"));
  expect_error<UsageError>([&] { with("model.patch=2"); }, {"model.patch is 2", "need 4"});
  expect_error<UsageError>([&] { with("model.pooling=mean"); }, {"model.pooling", "class token"});
  expect_error<UsageError>([&] { with("data.pixel_mean=0.3"); }, {"pixel_mean", "0.3"});
  expect_error<UsageError>(
      [&] {
        require_fitting_images(model, "data", {1, 12, 12});
      },
      {"data", "1 channel,", "3 channels", "data.images.size=12"});
  expect_error<UsageError>(
      [&] {
        require_fitting_images(model, "data", {3, 28, 28});
      },
      {"28 x 28", "12 x 12"});
}
