package bench;

import java.net.URI;
import java.util.UUID;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.aws2.s3.AWS2S3Constants;
import org.apache.camel.impl.DefaultCamelContext;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sqs.SqsClient;

/**
 * An MLLP route that stores each message in S3 and sends its key to SQS; camel-mllp acknowledges
 * afterwards. One message is one exchange, on the thread of its connection.
 */
public final class CamelReceiver {
    /** More than the default of 5, so that 500 connections are served at once. */
    private static final int CONSUMERS = 600;

    private CamelReceiver() {
    }

    public static void main(String[] arguments) throws Exception {
        String port = arguments[0];
        String bucket = System.getenv("ENS_VAULT_BUCKET");
        String queue = System.getenv("ENS_QUEUE_URL").replaceAll(".*/", "");
        URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL"));
        DefaultCamelContext context = new DefaultCamelContext();
        context.getRegistry().bind("s3", S3Client.builder()
                .endpointOverride(endpoint)
                .forcePathStyle(true)
                .region(Region.US_EAST_1)
                .credentialsProvider(EnvironmentVariableCredentialsProvider.create())
                .httpClientBuilder(ApacheHttpClient.builder().maxConnections(64))
                .build());
        context.getRegistry().bind("sqs", SqsClient.builder()
                .endpointOverride(endpoint)
                .region(Region.US_EAST_1)
                .credentialsProvider(EnvironmentVariableCredentialsProvider.create())
                .httpClientBuilder(ApacheHttpClient.builder().maxConnections(64))
                .build());
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("mllp:127.0.0.1:" + port
                        + "?maxConcurrentConsumers=" + CONSUMERS
                        + "&backlog=1024&hl7Headers=false&idleTimeout=0")
                    .process(exchange -> {
                        String id = UUID.randomUUID().toString();
                        exchange.setProperty("id", id);
                        exchange.getIn().setHeader(AWS2S3Constants.KEY, "messages/" + id + ".hl7");
                    })
                    .to("aws2-s3://" + bucket + "?amazonS3Client=#s3&autoCreateBucket=false")
                    .setBody(exchange -> "{\"bucket\":\"" + bucket + "\",\"key\":\"messages/"
                        + exchange.getProperty("id") + ".hl7\"}")
                    .to("aws2-sqs://" + queue + "?amazonSQSClient=#sqs&autoCreateQueue=false"
                        + "&messageGroupIdStrategy=useExchangeId"
                        + "&messageDeduplicationIdStrategy=useExchangeId");
            }
        });
        context.start();
        Thread.currentThread().join();
    }
}
