#pragma once

#include <filesystem>

#include "pretrained/json_fields.h"
#include "pretrained/model_description.h"

namespace asap::pretrained {

/// The network and the normalisation of pixels of a ViT, pre-LN with a class token (Dosovitskiy et
/// al. 2021). Family::vit: the settings of `fields`, and those of preprocessor_config.json in
/// `folder` if it is there; else pixels run from -1 to 1. Family::timm_vit: the sizes that the name
/// `architecture` stands for, changed by `model_args`; DeiT without distillation is the same
/// network. DataError names the setting that is missing, damaged or computed otherwise here.
ModelDescription read_image_description(const JsonFields& fields, Family family,
                                        const std::filesystem::path& folder);

}  // namespace asap::pretrained
