"""Networks of the comparison in Keras, for LiteRT."""


def build(name):
    import keras
    from keras import applications, layers
    keras.utils.set_random_seed(0)
    conv, dense, norm = layers.Conv2D, layers.Dense, layers.BatchNormalization

    def sequence(shape, *rest):
        return keras.Sequential([layers.Input(shape), *rest])

    def unit():
        return [layers.DepthwiseConv2D(3, padding="same", use_bias=False), norm(), layers.ReLU(),
                conv(64, 1, use_bias=False), norm(), layers.ReLU()]

    def application(make):
        return lambda: make(weights=None, classifier_activation=None)

    return {
        "lenet5": lambda: sequence(
            (28, 28, 1), conv(6, 5, padding="same", activation="tanh"), layers.AvgPool2D(2),
            conv(16, 5, activation="tanh"), layers.AvgPool2D(2), layers.Flatten(),
            dense(120, "tanh"), dense(84, "tanh"), dense(10)),
        "mlp": lambda: sequence((784,), dense(512, "relu"), dense(512, "relu"), dense(10)),
        "dscnn": lambda: sequence(
            (49, 10, 1), conv(64, (10, 4), strides=2, padding="same", use_bias=False), norm(), layers.ReLU(),
            *unit(), *unit(), *unit(), *unit(), layers.GlobalAveragePooling2D(), dense(12)),
        "question": lambda: sequence(
            (100, 100, 1), conv(60, 7, activation="relu"), conv(100, 5, activation="relu"), layers.MaxPool2D(2),
            layers.Flatten(), dense(250, "relu"), dense(200, "relu"), dense(1, "sigmoid")),
        "mobilenet_v2": application(applications.MobileNetV2),
        "resnet50": application(applications.ResNet50),
        "vgg16": application(applications.VGG16),
        "efficientnet_b0": application(applications.EfficientNetB0),
        "densenet121": application(applications.DenseNet121),
    }[name]()


def convert(name):
    import tensorflow
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2 as freeze
    model = build(name)
    function = tensorflow.function(
        lambda x: model(x, training=False),
        input_signature=[tensorflow.TensorSpec((1, *model.input_shape[1:]), tensorflow.float32)])
    return tensorflow.lite.TFLiteConverter.from_concrete_functions(
        [freeze(function.get_concrete_function())]).convert()
