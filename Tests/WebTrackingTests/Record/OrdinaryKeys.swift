// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// 500 keys that people log under: of the 889 attributes of OpenTelemetry's semantic conventions (the Python package
/// opentelemetry-semantic-conventions 0.66b2) and the 2,732 fields of the Elastic Common Schema (9.5.0-dev, commit b85f7573),
/// spread evenly over both in the order of their letters, and besides each of them all that the standard list masks.
enum OrdinaryKeys {
    static let all = text.split(whereSeparator: \.isWhitespace).map(String.init)

    private static let text = """
        @timestamp app.build_id app.installation.id app.jank.threshold app.screen.id app.widget.name
        artifact.attestation.id artifact.purl aws.bedrock.knowledge_base.id aws.dynamodb.consistent_read
        aws.dynamodb.exclusive_start_table aws.dynamodb.index_name aws.dynamodb.local_secondary_indexes
        aws.dynamodb.provisioned_write_capacity aws.dynamodb.segment aws.dynamodb.table_names aws.ecs.container.arn
        aws.ecs.task.family aws.eks.cluster.arn aws.lambda.invoked_arn aws.log.group.arns aws.log.stream.names
        aws.s3.copy_source aws.s3.part_number aws.secretsmanager.secret.arn aws.sqs.queue.url az.namespace
        azure.cosmosdb.connection.mode azure.cosmosdb.operation.request_charge azure.resource_group.name
        browser.brands browser.mobile browser.web_vital.id browser.web_vital.rating cassandra.coordinator.dc
        cassandra.query.idempotent cicd.pipeline.name cicd.pipeline.run.state cicd.pipeline.task.run.id
        cicd.pipeline.task.type cicd.worker.id cicd.worker.url.full client.geo.continent_code client.nat.port
        client.user.name cloud.account.id cloud.entity.id cloud.entity.relationships.administers.user.email
        cloud.entity.relationships.owns.host.id cloud.entity.relationships.supervises.user.email
        cloud.origin.entity.attributes.managed cloud.origin.entity.name.text
        cloud.origin.entity.relationships.depends_on.host.name cloud.origin.entity.relationships.owns.user.email
        cloud.origin.entity.type cloud.provider cloud.target.account.name cloud.target.entity.metrics
        cloud.target.entity.relationships.administers.user.name cloud.target.entity.relationships.owns.service.name
        cloud.target.entity.relationships.supervises.user.name cloudevents.event_id cloudevents.event_subject
        cloudfoundry.app.instance.id cloudfoundry.org.name cloudfoundry.space.id cloudfoundry.system.instance.id
        code.file.path code.function.name code.namespace container.command_args container.csi.plugin.name
        container.disk.read.bytes container.image.id container.image.tags container.name container.runtime.name
        cpu.logical_number db.cassandra.consistency_level db.cassandra.idempotence db.cassandra.table
        db.client.connections.pool.name db.connection_string db.cosmosdb.client_id db.cosmosdb.container
        db.cosmosdb.request_charge db.cosmosdb.sub_status_code db.elasticsearch.path_parts db.mongodb.collection
        db.namespace db.operation.name db.query.summary db.response.returned_rows db.statement db.system.name
        deployment.environment.name deployment.status destination.bytes destination.ip destination.port
        destination.user.group.name device.model.identifier dll.code_signature.exists dll.hash.sha384
        dll.pe.go_imports dll.pe.sections.name dns.answers dns.question.registered_domain
        email.attachments.file.hash.sha256 email.local_id enduser.id enduser.scope entity.attributes.permissions
        entity.relationships.administers.host.id entity.relationships.depends_on.user.domain
        entity.relationships.supervises.host.id entity.target.attributes.oauth_consent_restriction
        entity.target.relationships.administers.entity.id entity.target.relationships.depends_on.service.name
        entity.target.relationships.owns.user.name error.code event.id event.name event.timezone exception.stacktrace
        faas.cron faas.document.operation faas.invocation_id faas.invoked_region faas.time feature_flag.context.id
        feature_flag.evaluation.reason feature_flag.result.reason feature_flag.set.id file.accessed
        file.code_signature.team_id file.created file.elf.go_imports file.elf.imports file.elf.segments file.extension
        file.group.name file.hash.ssdeep file.lock.mode file.macho.sections.name file.modified file.owner.name
        file.pe.file_version file.pe.product file.symbolic_link.target_path file.x509.issuer.distinguished_name
        file.x509.subject.common_name gcp.apphub.application.location gcp.apphub.service.id gcp.apphub.workload.id
        gcp.apphub_destination.application.location gcp.apphub_destination.service.id
        gcp.apphub_destination.workload.id gcp.cloud_run.job.task_index gcp.gce.instance.name
        gcp.gce.instance_group_manager.zone gen_ai.agent.name gen_ai.conversation.id gen_ai.evaluation.explanation
        gen_ai.evaluation.score.value gen_ai.openai.request.response_format gen_ai.openai.response.service_tier
        gen_ai.output.messages gen_ai.prompt.name gen_ai.request.encoding_formats gen_ai.request.model
        gen_ai.request.stop_sequences gen_ai.request.top_k gen_ai.response.id gen_ai.retrieval.documents
        gen_ai.system_instructions gen_ai.token.type gen_ai.tool.call.result gen_ai.tool.name
        gen_ai.usage.cache_read.input_tokens gen_ai.usage.output_tokens gen_ai.workflow.name geo.locality.name
        geo.postal_code graphql.operation.name heroku.app.id host.arch host.cpu.model.id host.cpu.vendor.id
        host.disk.read.bytes host.entity.last_seen_timestamp host.entity.relationships.administers.user.id
        host.entity.relationships.owns.host.name host.entity.relationships.supervises.user.email
        host.geo.region_iso_code host.image.name host.mac host.os.name.text host.target.disk.read.bytes
        host.target.entity.last_seen_timestamp host.target.entity.relationships.administers.user.id
        host.target.entity.relationships.owns.host.name host.target.entity.relationships.supervises.user.id
        host.target.geo.region_iso_code host.target.os.full host.target.risk.static_score_norm http.client_ip
        http.host http.request.header http.request.resend_count http.request_content_length_uncompressed
        http.response.body.content.text http.response.size http.response_content_length_uncompressed http.server_name
        http.url hw.battery.chemistry hw.driver_version hw.gpu.task hw.logical_disk.raid_level hw.memory.type
        hw.network.logical_addresses hw.physical_disk.smart_attribute hw.sensor_location hw.tape_drive.operation_type
        jsonrpc.protocol.version k8s.cluster.uid k8s.container.restart_count k8s.container.status.state
        k8s.cronjob.name k8s.daemonset.label k8s.deployment.annotation k8s.deployment.uid
        k8s.hpa.scaletargetref.api_version k8s.hpa.uid k8s.job.label k8s.namespace.annotation k8s.namespace.phase
        k8s.node.condition.status k8s.node.name k8s.persistentvolume.annotation k8s.persistentvolume.reclaim_policy
        k8s.persistentvolumeclaim.annotation k8s.persistentvolumeclaim.status.phase k8s.pod.hostname k8s.pod.labels
        k8s.pod.status.phase k8s.replicaset.annotation k8s.replicaset.uid k8s.resourcequota.name
        k8s.service.annotation k8s.service.endpoint.zone k8s.service.publish_not_ready_addresses k8s.service.type
        k8s.statefulset.label k8s.storageclass.name linux.memory.slab.state log.file.name_resolved log.iostream
        log.syslog.hostname mainframe.lpar.name mcp.resource.uri mcp.session.id message.type messaging.client.id
        messaging.destination.name messaging.destination.template messaging.destination_publish.name
        messaging.gcp_pubsub.message.ack_deadline messaging.gcp_pubsub.message.ordering_key
        messaging.kafka.destination.partition messaging.kafka.message.tombstone messaging.message.conversation_id
        messaging.operation messaging.rabbitmq.destination.routing_key messaging.rocketmq.consumption_model
        messaging.rocketmq.message.group messaging.rocketmq.message.type
        messaging.servicebus.destination.subscription_name messaging.servicebus.message.enqueued_time net.host.name
        net.peer.name net.protocol.version net.sock.host.port net.sock.peer.port network.carrier.mcc
        network.connection.state network.forwarded_ip network.interface.name network.local.port network.protocol.name
        network.type observer.egress.vlan.id observer.geo.timezone observer.os.full oci.manifest.digest
        onc_rpc.program.name openai.request.service_tier openshift.clusterquota.name oracle.db.domain oracle.db.pdb
        oracle_cloud.realm orchestrator.cluster.id orchestrator.entity.id
        orchestrator.entity.relationships.administers.user.email orchestrator.entity.relationships.owns.host.id
        orchestrator.entity.relationships.supervises.user.email orchestrator.resource.parent.type os.name
        otel.component.name otel.library.name otel.scope.schema_url otel.span.sampling_result package.path
        peer.service pprof.mapping.has_filenames pprof.mapping.has_line_numbers pprof.profile.drop_frames
        pprof.scope.sample_type_order process.code_signature.thumbprint_sha256 process.command_args process.cpu.state
        process.elf.go_imports_names_var_entropy process.elf.sections process.elf.segments.type
        process.entry_leader.entry_meta.source.ip process.entry_leader.parent.session_leader.start
        process.entry_leader.saved_user.name process.entry_leader.working_directory.text
        process.executable.build_id.gnu process.executable.build_id.profiling process.exit.code
        process.group_leader.group.id process.group_leader.saved_user.id process.group_leader.working_directory
        process.interactive process.io.max_bytes_per_process_exceeded process.macho.imports_names_var_entropy
        process.paging.fault_type process.parent.code_signature.flags process.parent.elf.cpu_type
        process.parent.elf.header.type process.parent.elf.sections.type process.parent.group.id
        process.parent.hash.tlsh process.parent.macho.sections.name process.parent.pe.go_imports_names_var_entropy
        process.parent.pe.sections.physical_size process.parent.start process.parent.user.id process.pe.go_stripped
        process.pe.sections.var_entropy process.pid process.runtime.description process.saved_user.id
        process.session_leader.command_line process.session_leader.parent.session_leader.pid
        process.session_leader.saved_user.id process.session_leader.working_directory.text process.state
        process.tty.rows process.user.name profile.frame.type related.user rpc.connect_rpc.response.metadata
        rpc.grpc.status_code rpc.jsonrpc.request_id rpc.message.id rpc.method rpc.response.metadata rpc.system
        security_rule.description security_rule.reference security_rule.version server.as.organization.name.text
        server.ip server.user.group.id service.criticality service.entity.behavior
        service.entity.relationships.administers.host.name service.entity.relationships.depends_on.user.email
        service.entity.relationships.supervises.host.name service.namespace service.node.name
        service.origin.entity.last_seen_timestamp service.origin.entity.relationships.administers.user.email
        service.origin.entity.relationships.owns.host.name service.origin.entity.relationships.supervises.user.email
        service.origin.type service.target.entity.id service.target.entity.relationships.administers.user.domain
        service.target.entity.relationships.owns.host.id service.target.entity.relationships.supervises.user.domain
        service.target.state service.version session.id source.address source.geo.country_name source.top_level_domain
        span.id system.cpu.state system.filesystem.mountpoint system.memory.linux.hugepages.state system.network.state
        system.paging.state system.processes.status telemetry.sdk.language test.case.name test.suite.run.status
        threat.enrichments.indicator.file.code_signature.exists threat.enrichments.indicator.file.drive_letter
        threat.enrichments.indicator.file.elf.header.data threat.enrichments.indicator.file.elf.sections.name
        threat.enrichments.indicator.file.fork_name threat.enrichments.indicator.file.mtime
        threat.enrichments.indicator.file.pe.go_imports_names_entropy
        threat.enrichments.indicator.file.pe.sections.physical_size
        threat.enrichments.indicator.file.x509.issuer.organization
        threat.enrichments.indicator.file.x509.subject.distinguished_name threat.enrichments.indicator.geo.postal_code
        threat.enrichments.indicator.registry.data.bytes threat.enrichments.indicator.url.full.text
        threat.enrichments.indicator.url.password threat.enrichments.indicator.x509.issuer.country
        threat.enrichments.indicator.x509.subject.common_name threat.enrichments.matched.type
        threat.indicator.description threat.indicator.file.code_signature.trusted threat.indicator.file.elf.go_imports
        threat.indicator.file.elf.imports_names_entropy threat.indicator.file.elf.segments
        threat.indicator.file.hash.sha512 threat.indicator.file.pe.architecture
        threat.indicator.file.pe.original_file_name threat.indicator.file.uid
        threat.indicator.file.x509.public_key_size threat.indicator.geo.continent_code threat.indicator.marking.tlp
        threat.indicator.scanner_stats threat.indicator.url.password threat.indicator.url.registered_domain
        threat.indicator.x509.not_before threat.indicator.x509.subject.state_or_province threat.technique.reference
        tls.cipher tls.client.hash.md5 tls.client.issuer tls.client.not_before tls.client.supported_ciphers
        tls.client.x509.not_after tls.client.x509.subject.state_or_province tls.next_protocol tls.resumed
        tls.server.hash.md5 tls.server.issuer tls.server.not_after tls.server.x509.public_key_curve tls.version
        url.domain url.full url.password url.port url.scheme url.top_level_domain
        user.changes.entity.attributes.storage_class user.changes.entity.relationships.administers.host.id
        user.changes.entity.relationships.depends_on.user.email user.changes.entity.relationships.supervises.host.id
        user.changes.group.id user.domain user.effective.entity.lifecycle.last_activity
        user.effective.entity.relationships.administers.user.id user.effective.entity.relationships.owns.host.name
        user.effective.entity.relationships.supervises.user.id user.effective.name.text user.entity.behavior
        user.entity.relationships.administers.host.name user.entity.relationships.depends_on.user.id
        user.entity.relationships.supervises.host.name user.hash user.name.text user.roles
        user.target.entity.attributes.permissions user.target.entity.relationships.administers.entity.id
        user.target.entity.relationships.depends_on.user.domain user.target.entity.relationships.supervises.entity.id
        user.target.group.domain user.target.roles user_agent.os.name user_agent.version vcs.change.title
        vcs.provider.name vcs.ref.base.type vcs.ref.head.type vcs.repository.change.title vcs.repository.ref.revision
        vcs.revision_delta.direction volume.dos_name vulnerability.classification webengine.version
        """
}
